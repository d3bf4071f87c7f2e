"""The page of charts, and the command that writes it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from headrace.analytics.report import page, read_events
from headrace.cli import app
from headrace.errors import ConfigError
from headrace.meta.analytics import AnalyticsEvent


def messages(*events: AnalyticsEvent) -> list[str]:
    return [json.dumps({"version": "4.0", "event": event.to_dict()}) for event in events]


def event(kind: str, time: float, rule: str = "rule", number: int | None = 1, **data: Any) -> AnalyticsEvent:
    return AnalyticsEvent(kind, rule, "", 0, int(time * 30), time, number, 0, "person", data=data)


ALL = [
    *(event("cross", 3 * i, "door", i, line="door", direction=("in", "out")[i % 2]) for i in range(20)),
    *(event("exit", 5 + i, "zone", i, zone="hall", seconds=2.0 * i) for i in range(10)),
    *(event("wait", 5 + i, "queue", i, zone="till", seconds=60.0) for i in range(3)),
    *(event("queue", 5 * i, "queue", None, zone="till", count=i) for i in range(4)),
    *(event("occupancy", 10 * i, "occupancy", None, zone="hall", mean=i, peak=i) for i in range(4)),
    event("path", 20, "speed", 4, kmh=52.0),
    event("heat", 20, "heat-map", None, columns=16, rows=9, cells={"0": 1.5, "143": 3.0}),
    event("crowd", 30, "crowd", None, zone="<hall>", count=9),
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_holds_every_chart_and_needs_nothing_else() -> None:
    text = page(read_events(messages(*ALL)), "Hall & door", np.full((90, 160, 3), 128, np.uint8))
    for head in (
        "Crossings",
        "Objects in zones",
        "queues",
        "stayed",
        "waited",
        "Speed",
        "Where objects",
        "happened",
    ):
        assert head in text
    parser = Tags()
    parser.feed(text)
    assert sum(tag == "svg" for tag, _ in parser.tags) == 7
    links = [value for _, attrs in parser.tags for key, value in attrs.items() if key in ("href", "src")]
    assert len(links) == 1
    assert str(links[0]).startswith("data:image/jpeg;base64,")
    assert not re.search(r"https?://|<script|@import|url\(", text)
    assert "Hall &amp; door" in text
    assert "&lt;hall&gt;" in text
    assert "door in 10, door out 10" in text


def test_counts_are_those_of_the_events() -> None:
    text = page(read_events(messages(*ALL)))
    shown = re.findall(r"<title>door in [^<]*: (\d+)</title>", text)
    assert sum(map(int, shown)) == 10


def test_what_is_no_event_is_counted_and_left_out() -> None:
    lines = [
        *messages(ALL[0], ALL[0]),
        "{broken",
        '{"objects": []}',
        "",
        '{"event": {"id": "x", "type": "moving"}}',
        "[1]",
    ]
    found = read_events(lines)
    assert (len(found.events), found.repeated, found.broken, found.others) == (1, 1, 1, 3)
    with pytest.raises(ConfigError, match="no events in this file: 1 other messages"):
        page(read_events(['{"objects": []}']))


def test_the_command(tmp_path: Path) -> None:
    events, still = tmp_path / "events.jsonl", tmp_path / "still.png"
    events.write_text("\n".join(messages(*ALL)))
    cv2.imwrite(str(still), np.zeros((90, 160, 3), np.uint8))
    done = CliRunner().invoke(app, ["report", str(events), "--still", str(still), "--title", "Mine"])
    assert done.exit_code == 0, done.output
    assert f"{len(ALL)} events" in done.output.replace("\n", "")
    assert "<title>Mine</title>" in (tmp_path / "events.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.jsonl"], "none.jsonl"),
        (["empty.jsonl"], "no events"),
        (["events.jsonl", "--still", "no.png"], "no.png"),
    ],
)
def test_mistakes_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("")
    Path("events.jsonl").write_text("\n".join(messages(*ALL)))
    done = CliRunner().invoke(app, ["report", *arguments])
    assert done.exit_code in (1, 2)
    assert says in " ".join((done.output + str(done.stderr)).split())
