"""What ``headrace run`` is told, by its command line or by a YAML file: one model for both."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from headrace.errors import ConfigError
from headrace.keyfile import one_line
from headrace.source.uri import redacted
from headrace.suggestion import did_you_mean
from headrace.track.registry import DEFAULT as DEFAULT_TRACKER
from headrace.track.registry import trackers

#: `RunConfig.tracker` for no tracker at all.
NO_TRACKER = "none"
_TILES = re.compile(r"(?:(\d+)x(\d+))?(?:@(\d+)x(\d+))?")
_OUTPUTS = ("out", "events", "detections", "summary", "trace")


class RunConfig(BaseModel):
    """Everything a run needs; immutable and checked when built.

    Raises:
        pydantic.ValidationError: A field is unknown, missing or out of its range; `make_config` says it in a line.

    Example:
        >>> RunConfig(inputs=["sim://plaza"], model="demo.onnx").confidence
        0.25
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=False)

    inputs: list[str] = Field(
        min_length=1, description="Paths or addresses: file, http, rtsp, v4l2, sim://SCENE."
    )
    model: str = Field(min_length=1, description="file.onnx, file.py:Class or package.module:Class.")
    labels: str | None = Field(
        None, description="Text file with a class name on each line; else the model's own."
    )
    confidence: float = Field(0.25, ge=0, le=1, description="Detections below it are left out.")
    nms: float = Field(0.45, ge=0, le=1, description="Overlap above which the weaker of two boxes goes.")
    engine: str = Field("auto", description="What runs the model: onnxruntime, openvino, torch and so on.")
    decoder: str = Field("auto", description="Family of the model, for the meaning of its outputs.")
    preprocess: str | None = Field(
        None, description="What to change in its preprocessing: 'color=BGR scale=1/255'."
    )
    input_size: str | None = Field(None, description="Its width and height where they are open: 640x384.")
    set: dict[str, str] = Field(
        default_factory=dict, description="Other properties of hrinfer, such as interval=2; may be repeated."
    )
    tracker: str = Field(DEFAULT_TRACKER, description="Name of the tracker, or none.")
    out: Path | None = Field(None, description="Annotated video, MP4 with H.264.")
    events: Path | None = Field(
        None, description="File of events, a JSON message on each line: tracks come and go."
    )
    detections: Path | None = Field(
        None, description="File of detections, a JSON object for each frame on a line."
    )
    summary: Path | None = Field(None, description="File for the final counts, one JSON object.")
    tiles: str | None = Field(
        None,
        description="Grid of the annotated video, ROWSxCOLUMNS, and its size: 2x2, 3x3@1920x1080, @1920x1080, or auto.",
    )
    live: bool = Field(
        False, description="Treat inputs as cameras: real time, the oldest frames dropped when late."
    )
    batch_size: int = Field(
        0,
        ge=0,
        description="Frames of a batch; 0: one of each input; of files, at least four for a model file.",
    )
    decoder_threads: int = Field(
        0, ge=0, le=64, description="Threads of each decoder; 0: the cores, shared by the inputs."
    )
    seconds: float | None = Field(None, gt=0, description="End the run so long after its first frame.")
    profile: bool = Field(False, description="Tell where each millisecond of a frame went.")
    trace: Path | None = Field(
        None, description="File of what each thread did when, for chrome://tracing or ui.perfetto.dev."
    )
    on_error: Literal["stop", "drop", "disable"] = Field(
        "stop", description="When the model fails: stop the run, drop the batch, or go on without the model."
    )

    @field_validator("inputs", mode="before")
    @classmethod
    def _one_input(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("set", mode="before")
    @classmethod
    def _properties(cls, value: object) -> object:
        pairs = (
            value.items() if isinstance(value, dict) else [str(word).split("=", 1) for word in _list(value)]
        )
        if not all(len(pair) == 2 for pair in pairs):
            raise ValueError("write property=value, such as interval=2")
        given = {str(key).replace("_", "-"): str(text) for key, text in pairs}
        known = tuple(option.replace("_", "-") for option in _infer_options())
        for key in given:
            if key not in known:
                raise ValueError(f"hrinfer has no property {key!r}{_nearest(key, known)}")
        return given

    @field_validator("tiles", mode="before")
    @classmethod
    def _tiles_form(cls, value: object) -> object:
        if value in (None, False):
            return None
        if value in (True, "auto"):
            return "auto"
        match = _TILES.fullmatch(str(value))
        numbers = [int(n) for n in match.groups() if n] if match else []
        if not numbers or min(numbers) < 1:
            raise ValueError("write ROWSxCOLUMNS such as 2x2, or 3x3@1920x1080, or auto")
        return value

    @field_validator("tracker")
    @classmethod
    def _known_tracker(cls, value: str) -> str:
        known = (*trackers(), NO_TRACKER)
        if value not in known:
            raise ValueError(f"there is no such tracker{_nearest(value, known)}")
        return value

    @model_validator(mode="after")
    def _events_of_tracks(self) -> RunConfig:
        if self.events is not None and self.tracker == NO_TRACKER:
            raise ValueError("events tell which track comes and goes: choose a tracker, or leave events out")
        return self

    @model_validator(mode="after")
    def _files_apart(self) -> RunConfig:
        taken = {
            path.resolve(): f"the input {name}"
            for name in self.inputs
            if (path := local_path(name)) is not None
        }
        for field in _OUTPUTS:
            path = getattr(self, field)
            if path is None or (path.exists() and not path.is_file()):
                continue  # devices such as /dev/null may be given twice
            if path.resolve() in taken:
                raise ValueError(
                    f"{field} {path} would overwrite {taken[path.resolve()]}; choose another file"
                )
            taken[path.resolve()] = f"the file of {field}"
        return self

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the tiles; 1, 1 lets the grid grow as needed."""
        match = _TILES.fullmatch(self.tiles or "")
        return (int(match[1]), int(match[2])) if match and match[1] else (1, 1)

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height that were asked for."""
        match = _TILES.fullmatch(self.tiles or "")
        return (int(match[3]), int(match[4])) if match and match[3] else None

    @property
    def paced(self) -> bool:
        """Whether any source gives frames at its own pace."""
        return self.live or any(is_live(name) for name in self.inputs)


def local_path(name: str) -> Path | None:
    """The file that an input names, ``None`` for an address of something else."""
    if name.startswith("file://"):
        return Path(unquote(urlsplit(name).path))
    return None if "://" in name else Path(name)


def is_live(name: str) -> bool:
    """Whether an input is a camera or a stream by its address."""
    return name.split("://", 1)[0] in ("rtsp", "rtsps", "v4l2", "udp", "srt")


def make_config(values: Mapping[str, Any], path: str | Path | None = None) -> RunConfig:
    """Build the configuration from a YAML file and values that win over it.

    Args:
        values: Field name to value; ``None`` means not given.
        path: YAML file; its keys are the fields' names, with ``-`` or ``_``. Paths in it are relative to the working
            directory, as on the command line.

    Raises:
        ConfigError: The file cannot be read, or a key or value is wrong; one line that names it.

    Example:
        >>> make_config({"inputs": ["a.mp4"], "model": "m.onnx", "nms": None}).nms
        0.45
    """
    given = load_config(path) if path is not None else {}
    given.update({key: value for key, value in values.items() if value is not None})
    try:
        return RunConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def load_config(path: str | Path) -> dict[str, Any]:
    """The keys of a YAML file, checked to be known.

    Raises:
        ConfigError: The file cannot be read, is no YAML mapping, or has a key that is not known.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"configuration {path} is not YAML: {one_line(error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"configuration {path} must be 'key: value' lines, not {type(content).__name__}")
    known = tuple(RunConfig.model_fields)
    keys = {str(key).replace("-", "_"): value for key, value in content.items()}
    for key in keys:
        if key not in known:
            raise ConfigError(f"configuration {path}: unknown key {key!r}{_nearest(key, known)}")
    return keys


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _infer_options() -> list[str]:
    from headrace.elements import element_class  # here, so that a configuration can be read without GStreamer

    return [field.name for field in dataclasses.fields(element_class("hrinfer").options_type)]


def _nearest(name: str, known: tuple[str, ...]) -> str:
    return did_you_mean(name, known, f"; known: {', '.join(known)}")


def _explain(error: ValidationError) -> str:
    lines = []
    for one in error.errors():
        name = ".".join(str(part) for part in one["loc"]).replace("_", "-")
        text = one["msg"].removeprefix("Value error, ")
        if one["type"] == "missing":
            missing = (
                "no input: name a video file, camera or scene" if name == "inputs" else f"{name} is missing"
            )
            lines.append(missing + ("; give --model file.onnx" if name == "model" else ""))
        elif not name:
            lines.append(text)
        else:
            lines.append(f"{name} {redacted(str(one['input']))!r}: {text[0].lower()}{text[1:]}")
    return "; ".join(lines)
