"""A page of charts from the messages of analytics events."""

from __future__ import annotations

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.analytics import charts
from headrace.errors import ConfigError

_BINS = 48
_DWELL_BINS = 24
#: Events that the charts show; the others, those of Python rules among them, are listed.
_IN_CHARTS = ("cross", "enter", "exit", "heat", "occupancy", "path", "queue", "wait")
_MOST_ROWS = 200
_KNOWN = {
    "id",
    "type",
    "rule",
    "site",
    "source",
    "frame",
    "time",
    "object",
    "class",
    "label",
    "bbox",
    "cells",
}

Event = dict[str, Any]


@dataclass
class Events:
    """The events of a file, in order of time.

    Attributes:
        events: What the message's member ``event`` holds.
        others: Lines that hold something else.
        broken: Lines that are no JSON.
        repeated: Events that the file held already, by id.
    """

    events: list[Event] = field(default_factory=list)
    others: int = 0
    broken: int = 0
    repeated: int = 0


def read_events(lines: Iterable[str]) -> Events:
    """Events from messages, one JSON document on a line; what is said twice counts once.

    Example:
        >>> found = read_events(['{"event": {"id": "a", "type": "enter", "rule": "zone", "time": 1}}', "{}", "oops"])
        >>> len(found.events), found.others, found.broken
        (1, 1, 1)
    """
    found, ids = Events(), set()
    for line in lines:
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except ValueError:
            found.broken += 1
            continue
        event: Any = document.get("event") if isinstance(document, dict) else None
        if event is None or not _is_event(event):
            found.others += 1
        elif event["id"] in ids:
            found.repeated += 1
        else:
            ids.add(event["id"])
            found.events.append(event)
    found.events.sort(key=lambda event: float(event["time"]))
    return found


def _is_event(event: object) -> bool:
    return (
        isinstance(event, dict)
        and all(isinstance(event.get(key), str) for key in ("id", "type", "rule"))
        and isinstance(event.get("time"), int | float)
    )


def page(found: Events, title: str = "Analytics", still: NDArray[np.uint8] | None = None) -> str:
    """The whole page as HTML; nothing else is needed to show it.

    Args:
        found: The events.
        title: Heading.
        still: A frame ``(H, W, 3)`` BGR to lay the heat map over.

    Raises:
        ConfigError: There are no events.
    """
    events = found.events
    if not events:
        raise ConfigError(
            f"no events in this file: {found.others} other messages, {found.broken} lines that are no JSON; "
            "it takes what hranalytics, nvmsgconv and nvmsgbroker write"
        )
    many = len({event.get("source", 0) for event in events}) > 1

    def name(event: Event, *keys: str) -> str:
        parts = [str(event[key]) for key in keys if key in event]
        return " ".join(
            [*(parts or [event["rule"]]), *([f"(source {event.get('source', 0)})"] if many else [])]
        )

    start, stop = float(events[0]["time"]), float(events[-1]["time"])
    sections = [
        (
            "Crossings over time",
            _over_time(events, "cross", lambda e: name(e, "line", "direction"), start, stop),
        ),
        ("Visits over time", _over_time(events, "enter", lambda e: name(e, "zone"), start, stop)),
        ("Objects in zones", _curves(events, "occupancy", "mean", lambda e: name(e, "zone"))),
        ("Length of queues", _curves(events, "queue", "count", lambda e: name(e, "zone"), steps=True)),
        ("How long objects stayed", _histogram(events, "exit", "seconds", lambda e: name(e, "zone"), "s")),
        ("How long people waited", _histogram(events, "wait", "seconds", lambda e: name(e, "zone"), "s")),
        ("Speed of paths", _histogram(events, "path", "kmh", lambda e: name(e, "label"), "km/h")),
        *_heat_maps(events, still, many),
        ("What happened", _alerts(events)),
    ]
    body = "".join(f"<section><h2>{escape(head)}</h2>{text}</section>" for head, text in sections if text)
    return _PAGE.format(title=escape(title), head=_cards(found, start, stop), body=body)


def _cards(found: Events, start: float, stop: float) -> str:
    counts = Counter(
        event["type"] for event in found.events if event["type"] not in ("heat", "occupancy", "queue")
    )
    cards = [
        ("seconds", f"{stop - start:.0f}"),
        *((kind, str(number)) for kind, number in counts.most_common()),
    ]
    return "".join(f"<div><b>{value}</b>{escape(kind)}</div>" for kind, value in cards)


def _over_time(events: list[Event], kind: str, name: Any, start: float, stop: float) -> str:
    chosen = [event for event in events if event["type"] == kind]
    if not chosen:
        return ""
    edges = np.linspace(start, max(stop, start + 1), _BINS + 1)
    times: dict[str, list[float]] = defaultdict(list)
    for event in chosen:
        times[name(event)].append(float(event["time"]))
    series = {key: np.histogram(times[key], edges)[0].tolist() for key in sorted(times)}
    total = ", ".join(f"{escape(key)} {len(values)}" for key, values in sorted(times.items()))
    return f"<p>{total}</p>" + charts.bars(edges.tolist(), series, "time")


def _curves(events: list[Event], kind: str, value: str, name: Any, steps: bool = False) -> str:
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for event in events:
        if event["type"] == kind and value in event:
            series[name(event)].append((float(event["time"]), float(event[value])))
    return charts.curves(series, steps) if series else ""


def _histogram(events: list[Event], kind: str, value: str, name: Any, unit: str) -> str:
    values: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event["type"] == kind and value in event:
            values[name(event)].append(float(event[value]))
    if not values:
        return ""
    together = np.concatenate(list(values.values()))
    edges = np.linspace(0, max(float(together.max()) * 1.001, 1.0), _DWELL_BINS + 1)
    series = {key: np.histogram(values[key], edges)[0].tolist() for key in sorted(values)}
    middle, tail = np.percentile(together, [50, 95])
    text = f"<p>{len(together)} in all; half below {middle:.1f} {unit}, 95 % below {tail:.1f} {unit}</p>"
    return text + charts.bars(edges.tolist(), series, unit)


def _heat_maps(events: list[Event], still: NDArray[np.uint8] | None, many: bool) -> list[tuple[str, str]]:
    maps: dict[tuple[int, int, int], NDArray[np.float64]] = {}
    for event in events:
        if event["type"] == "heat":
            key = (event.get("source", 0), int(event["rows"]), int(event["columns"]))
            cells = maps.setdefault(key, np.zeros(key[1:]))
            for cell, seconds in event.get("cells", {}).items():
                cells.flat[int(cell)] += float(seconds)
    picture, size = "", None
    if still is not None:
        size = still.shape[1], still.shape[0]
        data = cv2.imencode(".jpg", still, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
        picture = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    return [
        (
            f"Where objects stood{f' (source {source})' if many else ''}",
            charts.heat(cells, picture, size or (columns, rows)),
        )
        for (source, rows, columns), cells in sorted(maps.items())
    ]


def _alerts(events: list[Event]) -> str:
    rows = [event for event in events if event["type"] not in _IN_CHARTS]
    if not rows:
        return ""
    lines = []
    for event in rows[-_MOST_ROWS:]:
        more = ", ".join(f"{key} {value}" for key, value in event.items() if key not in _KNOWN)
        thing = f"{event.get('label', '')} {event.get('object', '')}"
        cells = (charts.clock(float(event["time"])), event["type"], event["rule"], thing, more)
        lines.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>")
    note = f"<p>the last {_MOST_ROWS} of {len(rows)}</p>" if len(rows) > _MOST_ROWS else ""
    head = "<tr><th>time</th><th>event</th><th>rule</th><th>object</th><th></th></tr>"
    return f"{note}<table>{head}{''.join(lines)}</table>"


def read_still(path: Path) -> NDArray[np.uint8]:
    """A picture file, or the first frame of a video.

    Raises:
        ConfigError: It is neither.
    """
    picture = cv2.imread(str(path)) if path.is_file() else None
    if picture is None and path.is_file():
        video = cv2.VideoCapture(str(path))
        picture = video.read()[1]
        video.release()
    if picture is None:
        raise ConfigError(f"{path} is neither a picture nor a video that can be read; check the path")
    return np.asarray(picture, np.uint8)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; --ink: #1d2330; --soft: #667085; --line: #e3e6ec; --back: #f6f7f9; --card: #fff; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e8eaf0; --soft: #98a1b3; --line: #333a48; --back: #14171d; --card: #1d222b; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); margin: 0 auto; padding: 24px;
  max-width: 900px; }}
h1 {{ font-size: 26px; margin: 0 0 16px; }} h2 {{ font-size: 17px; margin: 0 0 6px; }}
p {{ color: var(--soft); margin: 0 0 8px; }}
.cards {{ display: flex; flex-wrap: wrap; gap: 10px; margin-bottom: 16px; }}
.cards div {{ background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px;
  color: var(--soft); }}
.cards b {{ display: block; font-size: 22px; color: var(--ink); }}
section {{ background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px;
  margin-bottom: 16px; }}
svg {{ width: 100%; height: auto; display: block; }} svg text {{ font-size: 11px; fill: var(--soft); }}
.grid {{ stroke: var(--line); }} .legend span {{ margin-right: 14px; font-size: 13px; color: var(--soft); }}
.legend i {{ display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 5px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 13px; }} td, th {{ text-align: left; padding: 3px 8px 3px 0;
  border-bottom: 1px solid var(--line); }} th {{ color: var(--soft); font-weight: 500; }}
</style></head><body><h1>{title}</h1><div class="cards">{head}</div>{body}</body></html>
"""
