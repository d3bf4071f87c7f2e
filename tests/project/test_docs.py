"""Documentation: links lead somewhere, the reference page is current, the text stays neutral."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from headrace.discovery import available
from headrace.flow.run.config import RunConfig
from headrace.infer.nvinfer.keys import keys_of
from headrace.infer.roi import PreprocessConfig, RegionGroup

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} in {page.name}"
        assert not anchor or anchor in anchors(target), f"{link} in {page.name}"


def test_every_page_is_in_the_index():
    index = (ROOT / "docs/index.md").read_text()
    missing = [
        page.name for page in (ROOT / "docs").glob("*.md") if page.name not in index and page.stem != "index"
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["elements_page", "nvinfer_page"])
def test_pages_made_from_declarations_are_current(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / f"tools/{name}.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text() == tool.page(), f"run: python tools/{name}.py"


def test_the_page_on_regions_has_every_key():
    text = (ROOT / "docs/preprocess.md").read_text()
    for name in (*keys_of(PreprocessConfig), *keys_of(RegionGroup)):
        assert f"`{name}`" in text, f"{name} is missing"


def test_the_command_line_page_has_every_option_with_its_default():
    text = (ROOT / "docs/cli.md").read_text()
    for name, field in RunConfig.model_fields.items():
        row = re.search(rf"^\| `--{name.replace('_', '-')}`.*? \| (.*?) \|", text, re.MULTILINE)
        if name == "inputs":
            continue
        assert row, f"--{name} is missing"
        if isinstance(field.default, str | float) and not isinstance(field.default, bool):
            assert row[1].strip("`") == str(field.default)


def test_the_command_line_page_has_every_command():
    text = (ROOT / "docs/cli.md").read_text()
    missing = [name for name in available("headrace.cli") if f"## headrace {name}" not in text]
    assert missing == []


def test_there_are_no_unfinished_notes():
    pattern = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX:"))
    done = subprocess.run(
        ["git", "grep", "-nE", pattern, "--", "*.py", "*.md", "*.sh", "*.toml"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 128:
        pytest.skip("not a git checkout")
    assert done.stdout == ""
