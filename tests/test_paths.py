from __future__ import annotations

from pathlib import Path

import pytest

from headrace.paths import ASSETS, resolve

INSTALLED = "/opt/nvidia/deepstream/deepstream"


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "assets"
    (folder / "samples/models").mkdir(parents=True)
    (folder / "samples/models/labels.txt").write_text("car\n")
    monkeypatch.setenv(ASSETS, str(folder))
    return folder


@pytest.mark.parametrize("prefix", [INSTALLED, f"{INSTALLED}-7.1", f"file://{INSTALLED}"])
def test_installation_leads_into_the_assets(assets: Path, prefix: str) -> None:
    assert resolve(f"{prefix}/samples/models/labels.txt") == assets / "samples/models/labels.txt"


def test_a_file_that_does_not_exist_yet_goes_into_the_assets_too(assets: Path) -> None:
    assert resolve(f"{INSTALLED}/samples/out.engine") == assets / "samples/out.engine"


def test_a_configuration_in_the_installation_names_its_neighbours(assets: Path) -> None:
    found = resolve("../../../samples/models/labels.txt", f"{INSTALLED}/sources/apps/one")
    assert found == assets / "samples/models/labels.txt"


def test_relative_path_out_of_a_foreign_place_is_found_by_its_tail(assets: Path, tmp_path: Path) -> None:
    found = resolve("../../../../samples/models/labels.txt", tmp_path / "apps" / "one")
    assert found == assets / "samples/models/labels.txt"


def test_a_missing_file_of_a_missing_folder_is_looked_for_beside_its_like(
    assets: Path, tmp_path: Path
) -> None:
    found = resolve("../../../../samples/models/net.engine", tmp_path / "apps" / "one")
    assert found == assets / "samples/models/net.engine"
    (tmp_path / "samples").mkdir()
    assert resolve("samples/net.engine", tmp_path) == tmp_path / "samples/net.engine"


def test_an_existing_file_is_never_replaced(assets: Path, tmp_path: Path) -> None:
    own = tmp_path / "samples/models/labels.txt"
    own.parent.mkdir(parents=True)
    own.write_text("mine\n")
    assert resolve("samples/models/labels.txt", tmp_path) == own


@pytest.mark.parametrize("path", ["labels.txt", "/models/missing.onnx", f"{INSTALLED}ish/samples/models/x"])
def test_other_paths_stay(assets: Path, path: str) -> None:
    assert resolve(path) == Path(path)


def test_without_assets_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ASSETS, raising=False)
    assert resolve(f"{INSTALLED}/lib/x.so") == Path(f"{INSTALLED}/lib/x.so")
