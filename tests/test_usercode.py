"""Users' Python files run as they are at that moment."""

import os

from headrace.usercode import load_name


def test_a_file_written_twice_in_a_second_is_read_twice(tmp_path):
    file = tmp_path / "mine.py"
    for value in (1, 2):
        file.write_text(f"VALUE = {value}\n")
        os.utime(file, (1_700_000_000, 1_700_000_000))
        assert load_name(f"{file}:VALUE") == value
