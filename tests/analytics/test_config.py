from __future__ import annotations

import logging
from pathlib import Path

import pytest

from headrace.analytics import AnalyticsConfig
from headrace.errors import ConfigError

HEAD = "[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\n"
FULL = (
    HEAD
    + """osd-mode=1
display-font-size=20
obj-cnt-win-in-ms=80
display-obj-cnt=1
[roi-filtering-stream-0]
enable=1
roi-Door=0;0;10;0;10;10
roi-Far-Gate=0;0;20;0;20;20;0;20;
inverse-roi=1
class-id=0;2
[overcrowding-stream-2]
enable=1
roi-Hall=0;0;10;0;10;10
object-threshold=3
time-threshold=2000
class-id=-1
[line-crossing-stream-0]
enable=1
line-crossing-Exit=1;2;3;4;5;6;7;8
extended=0
mode=strict
[direction-detection-stream-0]
enable=1
direction-South=284;840;360;662;
[direction-detection-stream-1]
enable=0
direction-North=284;840;360;662
[somebody-elses]
key=1
"""
)


def load(folder: Path, text: str, name: str = "analytics.txt") -> AnalyticsConfig:
    path = folder / name
    path.write_text(text)
    return AnalyticsConfig.load(path)


def test_every_key_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    assert (config.width, config.height, config.osd_mode, config.font_size) == (1920, 1080, 1, 20)
    assert (config.window_ms, config.show_counts, config.enable) == (80, True, True)
    first = config.streams[0]
    assert [region.label for region in first.regions] == ["Door", "Far-Gate"]
    assert first.regions[1].polygon.tolist() == [[0, 0], [20, 0], [20, 20], [0, 20]]
    assert first.regions[0].inverse
    assert first.regions[0].classes == (0, 2)
    crowd = config.streams[2].crowds[0]
    assert (crowd.label, crowd.limit, crowd.classes) == ("Hall", 3, None)
    line = first.lines[0]
    assert (line.label, line.extended, line.mode) == ("Exit", False, "strict")
    assert line.arrow.tolist() == [[1, 2], [3, 4]]
    assert line.ends.tolist() == [[5, 6], [7, 8]]
    assert first.directions[0].arrow.tolist() == [[284, 840], [360, 662]]
    assert config.streams[1].directions == ()


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, HEAD)
    assert (config.osd_mode, config.font_size, config.window_ms, config.show_counts) == (2, 12, 0, False)


def test_yaml_says_the_same(tmp_path: Path) -> None:
    text = (
        "property: {enable: 1, config-width: 1920, config-height: 1080}\n"
        "line-crossing-stream-0: {enable: 1, line-crossing-Exit: '1;2;3;4;5;6;7;8', mode: balanced}\n"
    )
    line = load(tmp_path, text, "analytics.yml").streams[0].lines[0]
    assert (line.label, line.mode, line.extended) == ("Exit", "balanced", True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[other]\na=1\n", r"group \[property\] .* missing"),
        ("[property]\nconfig-width=10\n", r"\[property\] config-height: .* missing"),
        (HEAD + "osd-mode=7\n", r"\[property\] osd-mode: a whole number from 0 to 2 expected, got '7'"),
        (HEAD + "[roi-filtering-stream-0]\n", r"\[roi-filtering-stream-0\] is empty"),
        (HEAD + "[roi-filtering-stream-0]\nroi-A=1;2;3;4\n", "three or more corners"),
        (HEAD + "[roi-filtering-stream-0]\nroi-A=1;2;3;four;5;6\n", "numbers separated"),
        (HEAD + "[line-crossing-stream-1]\nline-crossing-A=1;2;3;4\n", "eight numbers"),
        (HEAD + "[roi-filtering-stream-0]\nroi-A=1;2;3;nan;5;6\n", "finite numbers"),
        (HEAD + "[line-crossing-stream-1]\nline-crossing-A=1;2;3;4;5;6;5;6\n", "two different points"),
        (HEAD + "[direction-detection-stream-1]\ndirection-A=1;2;1;2\n", "two different points"),
        (HEAD + "[line-crossing-stream-1]\nline-crossing-A=1;2;3;4;5;6;7;8\nmode=fast\n", "loose, balanced"),
        (HEAD + "[direction-detection-stream-1]\ndirection-A=1;2;3\n", "four numbers"),
        (HEAD + "[overcrowding-stream-1]\nroi-A=1;2;3;4;5;6\n", "object-threshold: .* missing"),
    ],
)
def test_mistakes_name_file_group_and_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load(tmp_path, text)
    assert "analytics.txt" in str(caught.value)


def test_unknown_key_is_warned_about_with_the_nearest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load(tmp_path, HEAD + "osd-mod=1\n")
    assert "osd-mod has no meaning here; did you mean osd-mode?" in caplog.text


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ("lin-crossing-stream-0", "write line-crossing-stream-<N> with the number of a source"),
        ("line-crossing-stream-x", "write line-crossing-stream-<N>"),
        ("zebra", "write roi-filtering-stream-<N>, overcrowding-stream-<N>"),
    ],
)
def test_an_unknown_group_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, group: str, says: str
) -> None:
    with caplog.at_level(logging.WARNING):
        load(tmp_path, f"{HEAD}[{group}]\nenable=1\n")
    assert f"[{group}] has no meaning here; {says}" in caplog.text


def test_a_polygon_that_crosses_itself_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        config = load(tmp_path, HEAD + "[roi-filtering-stream-0]\nroi-A=0;0;90;90;90;0;0;90\n")
    assert "[roi-filtering-stream-0] roi-A: the polygon crosses itself" in caplog.text
    assert len(config.streams[0].regions) == 1
