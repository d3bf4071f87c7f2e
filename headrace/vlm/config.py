"""What hrvlm is told by its YAML file and its properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from headrace.errors import ConfigError
from headrace.keyfile import one_line
from headrace.paths import resolve
from headrace.suggestion import did_you_mean
from headrace.vlm.answers import checker
from headrace.vlm.prompts import OF_OBJECTS, Prompt
from headrace.vlm.rules import Rule

_COOLDOWN = 10.0


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class _Strict(BaseModel):
    """Immutable, keys with dashes or underscores, none that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_dashed, populate_by_name=True)


class SegmentConfig(_Strict):
    """How pictures are taken.

    Example:
        >>> SegmentConfig(length=4, fps=2).interval, SegmentConfig(length=60, max_frames=6).interval
        (0.5, 10.0)
    """

    length: float = Field(0.0, ge=0, le=3600, description="Seconds that a question covers; 0: one picture.")
    overlap: float = Field(0.0, ge=0, description="Seconds that a segment shares with the one before.")
    fps: float = Field(
        1.0, gt=0, le=60, description="How often a second the source is looked at: rule and picture."
    )
    max_frames: int = Field(
        8, ge=1, le=256, description="Most pictures in a question; a longer segment is sampled less often."
    )
    max_size: int = Field(
        640, ge=16, le=8192, description="Longer side of a picture in pixels; larger ones are scaled down."
    )
    quality: int = Field(85, ge=1, le=100, description="Quality of the JPEGs.")
    margin: float = Field(0.1, ge=0, le=5, description="What is added around a crop, as a share of its size.")

    @model_validator(mode="after")
    def _overlap_fits(self) -> SegmentConfig:
        if self.overlap and self.overlap >= self.length:
            raise ValueError(f"overlap {self.overlap:g} must be less than length {self.length:g}")
        return self

    @property
    def interval(self) -> float:
        """Seconds from one look to the next."""
        return max(1 / self.fps, self.length / self.max_frames)


class Question(_Strict):
    """What is asked of one source.

    Example:
        >>> Question(prompt="What is the {object.label} doing?", when="dwell > 5", subject="object").crops
        True
    """

    prompt: str = Field(min_length=1, description="The question, with placeholders.")
    system: str = Field("", description="What the model is told about its task.")
    when: str = Field("", description="The rule that must hold; empty: always.")
    subject: Literal["frame", "object"] = Field(
        "frame",
        description="What is asked about: the source's frames, or each object for which the rule holds.",
    )
    pictures: Literal["auto", "crops", "frames"] = Field(
        "auto", description="Crops of the object or whole frames; auto: crops for objects."
    )
    segment: SegmentConfig = Field(SegmentConfig.model_validate({}), description="How pictures are taken.")
    cooldown: float | None = Field(
        None,
        ge=0,
        description="Seconds of the stream until the same object or source is asked about again; null: 10 where there "
        "is a rule or objects are asked about, otherwise 0.",
    )
    answer_schema: dict[str, Any] | None = Field(
        None, description="JSON schema of the answer, or a file with it; without one the answer is text."
    )
    draw: bool = Field(False, description="Let the overlay show the answer.")
    draw_time: float = Field(10.0, gt=0, description="Seconds of the stream for which it is shown.")

    @field_validator("prompt")
    @classmethod
    def _prompt_reads(cls, value: str) -> str:
        return Prompt(value).text

    @field_validator("when")
    @classmethod
    def _rule_reads(cls, value: str) -> str:
        return Rule(value).text

    @model_validator(mode="after")
    def _fits_subject(self) -> Question:
        if self.subject == "frame":
            if self.pictures == "crops":
                raise ValueError("pictures: crops needs subject: object")
            needs = sorted(Prompt(self.prompt).placeholders & OF_OBJECTS)
            if needs:
                raise ValueError(f"prompt: {{{needs[0]}}} needs subject: object")
        return self

    @property
    def pause(self) -> float:
        """Seconds until the same is asked about again."""
        if self.cooldown is None:
            return _COOLDOWN if self.when or self.subject == "object" else 0.0
        return self.cooldown

    @property
    def crops(self) -> bool:
        """Whether pictures are crops of the object."""
        return self.pictures == "crops" or (self.pictures == "auto" and self.subject == "object")


class VlmConfig(Question):
    """Everything hrvlm needs: the question, whom to ask, limits, and what differs by source."""

    base_url: str = Field(
        "", description="Address of an OpenAI-compatible server up to /v1; empty: model is a Python class."
    )
    model: str = Field(
        "",
        description="With base-url the server's name of the model, otherwise file.py:Class or module:Class.",
    )
    api_key_env: str = Field("", description="Environment variable that holds the server's key.")
    max_tokens: int | None = Field(256, ge=1, description="Longest answer in tokens; null: the server's.")
    temperature: float | None = Field(
        0.0, ge=0, le=2, description="0: the most likely answer; null: the server's."
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict,
        description="Added to each request to the server as it is; a null takes a member out.",
    )
    timeout: float = Field(30.0, gt=0, le=3600, description="Seconds that a request to the server may take.")
    retries: int = Field(
        2, ge=0, le=20, description="How often a request is made again after 429, 5xx or a lost line."
    )
    backoff: float = Field(
        1.0,
        ge=0,
        le=300,
        description="Seconds before the first retry; doubled each time, unless the server says.",
    )
    workers: int = Field(1, ge=1, le=64, description="Questions that are asked at the same time.")
    queue: int = Field(16, ge=1, le=10000, description="Most questions that wait.")
    keep: Literal["newest", "oldest"] = Field(
        "newest", description="Which ones stay when more come: the newest, or those that wait already."
    )
    requests_per_minute: int = Field(
        0, ge=0, description="Most requests in any minute, retries included; 0: no limit."
    )
    drain_timeout: float = Field(
        10.0, ge=0, le=3600, description="Seconds that the end of the stream waits for answers."
    )
    sources: dict[int, dict[str, Any]] = Field(
        default_factory=dict, description="By id of a source: keys of the question that differ there."
    )

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        try:
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # the port is no number, or too large
            usable = False
        if value and not usable:
            raise ValueError("write http://HOST:PORT/v1")
        if "@" in parts.netloc or parts.query:
            raise ValueError(
                "keys do not belong into the address; name an environment variable as api-key-env"
            )
        return value.rstrip("/")

    @model_validator(mode="after")
    def _names_a_model(self) -> VlmConfig:
        if not self.model:
            raise ValueError("no model: set model to the server's name for it, or to file.py:Class")
        return self

    def question(self, source: int) -> Question:
        """What is asked of a source.

        Raises:
            pydantic.ValidationError: What the file says of this source cannot be used.
        """
        names = set(Question.model_fields)
        common = self.model_dump(by_alias=True, include=names)
        own = {_dashed(str(key)): value for key, value in self.sources.get(source, {}).items()}
        if isinstance(own.get("segment"), Mapping):
            segment = {_dashed(str(key)): value for key, value in own["segment"].items()}
            own["segment"] = {**common["segment"], **segment}
        return Question.model_validate({**common, **own})


def load_config(path: str | Path, overrides: Mapping[str, Any] | None = None) -> VlmConfig:
    """Read the file and check all of it, every source's question included.

    Args:
        path: YAML file; empty for none.
        overrides: Values by key that win over the file's; empty ones count as not given.

    Raises:
        ConfigError: The file cannot be read, or a key or value is wrong; one line that names it.

    Example:
        >>> load_config("", {"model": "vlm.py:Mine", "prompt": "What is there?"}).workers
        1
    """
    place = resolve(path) if path else None
    given = {_dashed(str(key)): value for key, value in _read(place).items()} if place else {}
    given.update({_dashed(key): value for key, value in (overrides or {}).items() if value})
    what = f"configuration {place}" if place else "hrvlm"
    folder = place.parent if place else None
    try:
        for part in (given, *_mappings(given.get("sources"))):
            _inline_schema(part, folder)
        config = VlmConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"{what}: {_explain(error, VlmConfig)}") from error
    checker(config.answer_schema)
    for source in config.sources:
        try:
            checker(config.question(source).answer_schema)
        except ValidationError as error:
            raise ConfigError(f"{what}: sources.{source}: {_explain(error, Question)}") from error
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        # JSON may be indented with tabs, which YAML does not take.
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"configuration {path} cannot be read: {error.strerror}; check the path") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"configuration {path} is neither YAML nor JSON: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"configuration {path} must be 'key: value' lines, not {type(content).__name__}")
    return content


def _mappings(sources: object) -> list[dict[str, Any]]:
    values = sources.values() if isinstance(sources, dict) else ()
    return [value for value in values if isinstance(value, dict)]


def _inline_schema(part: dict[str, Any], folder: Path | None) -> None:
    for key in ("answer-schema", "answer_schema"):
        if isinstance(part.get(key), str):
            part[key] = _read(resolve(part[key], folder))


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    lines = []
    for one in error.errors():
        name = _dashed(".".join(str(part) for part in one["loc"]))
        text = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            lines.append(f"unknown key {name!r}{_nearest(one['loc'], model)}")
        elif one["type"] == "missing":
            lines.append(f"{name} is missing")
        else:
            lines.append(f"{name}: {text[0].lower()}{text[1:]}" if name else text)
    return "; ".join(lines)


def _nearest(place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    fields = SegmentConfig.model_fields if "segment" in place[:-1] else model.model_fields
    known = [_dashed(field) for field in fields]
    return did_you_mean(_dashed(str(place[-1])), known, f"; known: {', '.join(known)}")
