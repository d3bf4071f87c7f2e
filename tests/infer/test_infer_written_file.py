"""Files that are being written while a model is loaded from them."""

import itertools
import time

import pytest

from headrace.errors import ModelError, SupersededError
from headrace.infer.files import written_file
from headrace.infer.files.written_file import load_when_written


class Loaded:
    closed = 0

    def close(self):
        Loaded.closed += 1


@pytest.fixture
def changing(tmp_path, monkeypatch):
    """A file, and what loads it: each time it changes, and stands still before it is loaded."""
    monkeypatch.setattr(written_file, "STILL", 0.001)
    file, numbers = tmp_path / "cats.py", itertools.count(1)

    def load():
        number = next(numbers)
        if number > 200:
            pytest.fail("it is loaded for ever")
        file.write_text("#" * number)
        time.sleep(0.01)
        return Loaded()

    return file, load


def test_a_file_that_changes_whenever_it_is_loaded_is_given_up(changing, monkeypatch):
    monkeypatch.setattr(written_file, "PATIENCE", 0.2)
    monkeypatch.setattr(Loaded, "closed", 0)
    file, load = changing
    with pytest.raises(ModelError, match=r"cats\.py has been changing for 0\.2 s"):
        load_when_written(file, load, lambda: None)
    assert Loaded.closed > 0


def test_one_that_is_wanted_no_longer_is_not_loaded_again(changing):
    asked = []

    def wanted():
        asked.append(1)
        if len(asked) > 3:
            raise SupersededError("another is wanted")

    with pytest.raises(SupersededError, match="another"):
        load_when_written(*changing, wanted)


def test_a_file_that_changed_while_it_was_loaded_is_loaded_again(tmp_path, monkeypatch):
    monkeypatch.setattr(written_file, "STILL", 0.001)
    file, texts = tmp_path / "cats.py", iter(["half", "whole", None])

    def load():
        text = next(texts)
        if text is not None:
            file.write_text(text)
        time.sleep(0.01)
        return file.read_text()

    class Text(str):
        def close(self):
            pass

    assert load_when_written(file, lambda: Text(load()), lambda: None) == "whole"
    assert next(texts, "no more") == "no more"
