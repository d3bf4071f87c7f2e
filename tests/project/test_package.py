"""The project as others get it: the wheel, the lock, the dependencies."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from headrace.cli._checks import all_checks
from headrace.elements import ELEMENTS

ROOT = Path(__file__).resolve().parents[2]
#: What is imported under another name than it is installed by.
DISTRIBUTIONS = {"array_api_compat": "array-api-compat", "cv2": "opencv-python-headless", "yaml": "pyyaml"}
#: From the distribution, because PyPI's PyGObject would have to be compiled.
FROM_SYSTEM = {"gi"}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    outside = [n for n in names if not re.match(r"headrace/|headrace-[\d.]+\.dist-info/", n)]
    known = (".py", ".typed", ".onnx", ".md", ".yaml")
    odd = [n for n in names if n.startswith("headrace/") and not n.endswith(known)]
    assert (outside, odd) == ([], [])
    assert "headrace/py.typed" in names
    assert {f"headrace/plugins/python/{factory}.py" for factory in ELEMENTS} <= set(names)
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "headrace").rglob("*") if path.suffix in known}
    assert sources <= set(names)
    assert wheel.stat().st_size < 4_000_000


def test_an_installed_wheel_has_all_elements(wheel, tmp_path):
    home = tmp_path / "venv"
    venv.create(home, system_site_packages=True)
    site = Path(
        run(str(home / "bin/python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    )
    # Libraries of this environment, but not the editable installation: a .pth in a .pth is not followed.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        "import headrace; from gi.repository import Gst;"
        f"print(headrace.__file__, all(Gst.ElementFactory.find(name) for name in {sorted(ELEMENTS)!r}))"
    )
    variables = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "GST_PLUGIN_PATH")}
    output = run(str(home / "bin/python"), "-c", code, cwd=tmp_path, env=variables)
    assert output.split() == [str(site / "headrace/__init__.py"), "True"]


def test_set_up_installs_what_doctor_asks_for():
    text = (ROOT / "scripts/apt-packages.txt").read_text()
    installed = {line.partition("#")[0].strip() for line in text.splitlines()}
    implied = {"libgstreamer1.0-0", "python3"}  # what the others depend on
    wanted = {check.apt for check in all_checks() if check.apt}
    assert wanted <= installed | implied


def imported_by_the_core():
    """Top-level modules that are imported unconditionally somewhere in the package, or inside functions.

    The peers of `headrace bench` are programs of other environments.
    """
    found = set()
    peers = ROOT / "headrace/bench/peers"
    for path in set((ROOT / "headrace").rglob("*.py")) - set(peers.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"headrace"} - FROM_SYSTEM


def names_in(list_name):
    text = (ROOT / "pyproject.toml").read_text()
    body = re.search(rf"^{list_name} = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)[1]
    return {re.match(r"[\w.-]+", line)[0] for line in re.findall(r'"(.+?)"', body)}


def test_dependencies_are_those_that_are_imported():
    optional = {
        "jsonschema",
        "openvino",
        "pyds",
        "pyservicemaker",
        "tensorrt",
        "torch",
        "trackeval",
        "tritonclient",
    }
    optional |= {"google", "grpc", "triton"}  # come with tritonclient[grpc], and with torch for CUDA
    used = {DISTRIBUTIONS.get(name, name) for name in imported_by_the_core() - optional}
    assert used == names_in("dependencies")


def test_the_lock_names_public_places_only_and_is_what_development_installs():
    lock = (ROOT / "uv.lock").read_text()
    assert set(re.findall(r"\b(\w+://[^/\"]+)", lock)) == {
        "https://pypi.org",
        "https://files.pythonhosted.org",
    }
    assert not re.search(r'"(/|\.\./)', lock)
    locked = set(re.findall(r'^name = "(.+?)"\nversion = "(.+?)"', lock, re.MULTILINE))
    pinned = re.findall(r"^([\w.-]+)==([^ ;]+)", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE)
    assert set(pinned) <= locked
    assert names_in("dependencies") | names_in("dev") <= {name for name, _ in pinned}
