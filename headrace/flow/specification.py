"""Pipelines from YAML files: nodes and edges (contract §9)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from headrace import paths
from headrace.errors import HeadraceError, PipelineError
from headrace.flow.objects.factory import CommonFactory
from headrace.flow.objects.signals import Emitter
from headrace.keyfile import one_line
from headrace.suggestion import did_you_mean

if TYPE_CHECKING:
    from headrace.flow.pipeline import Pipeline

_KEY = "deepstream"
_NODE_KEYS = ("type", "name", "enable", "properties")


def build(pipeline: Pipeline, config_file: str | os.PathLike[str]) -> None:
    """Add the nodes of a file and connect them.

    Args:
        pipeline: What to add to.
        config_file: The file; a top-level key that contains ``deepstream`` holds ``nodes`` and ``edges``.

    Raises:
        PipelineError: The file cannot be read, or a node cannot be made; names file, node and what would be
            right. So does an edge to an unknown name, which programs of pyservicemaker are told of and go on.
    """
    path = paths.resolve(config_file)
    nodes, edges = _read(path)
    specification = _Specification(pipeline, path)
    for index, node in enumerate(nodes):
        specification.add(index, node)
    for source, targets in edges.items():
        for target in targets if isinstance(targets, list) else [targets]:
            specification.connect(_End.parse(str(source)), _End.parse(str(target)))


def _read(path: Path) -> tuple[list[Any], dict[str, Any]]:
    try:
        # Every value stays text: the type of the property decides, not YAML.
        content = yaml.load(path.read_text(encoding="utf-8-sig"), yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"pipeline file {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise PipelineError(f"pipeline file {path} is not YAML: {one_line(error)}") from error
    keys = list(content) if isinstance(content, dict) else []
    key = next((key for key in keys if _KEY in key), None)
    if key is None:
        found = ", ".join(keys) or "nothing"
        raise PipelineError(
            f"pipeline file {path}: a top-level key {_KEY!r} with nodes and edges expected, found {found}"
        )
    body = content[key] if isinstance(content[key], dict) else {}
    nodes, edges = body.get("nodes") or [], body.get("edges") or content.get("edges") or {}
    if not nodes or not isinstance(nodes, list):
        raise PipelineError(f"pipeline file {path}: {key}: nodes: a list of nodes expected")
    if not isinstance(edges, dict):
        raise PipelineError(
            f"pipeline file {path}: {key}: edges: lines of the form 'source: target' expected"
        )
    return nodes, edges


@dataclass(frozen=True)
class _End:
    """One end of an edge: ``name`` or ``name.pad``, ``name.signal``, ``name.action``."""

    name: str
    part: str

    @classmethod
    def parse(cls, text: str) -> _End:
        name, _, part = text.strip().partition(".")
        return cls(name, part)

    def __str__(self) -> str:
        return f"{self.name}.{self.part}" if self.part else self.name


class _Specification:
    def __init__(self, pipeline: Pipeline, path: Path) -> None:
        self.pipeline = pipeline
        self.path = path
        self.names: list[str] = []
        self.objects: dict[str, Any] = {}

    def add(self, index: int, node: Any) -> None:
        place = f"{self.path}: node {index}"
        if not isinstance(node, dict) or not node.get("type") or not node.get("name"):
            raise PipelineError(f"{place}: type and name expected, got {node!r}")
        kind, name = str(node["type"]), str(node["name"])
        place = f"{self.path}: node {name!r}"
        properties = node.get("properties") or {}
        if not isinstance(properties, dict):
            raise PipelineError(f"{place}: properties: lines of the form 'name: value' expected")
        unknown = [key for key in node if key not in _NODE_KEYS]
        if unknown:
            self.pipeline.manners.warn(f"{place}: unknown key {unknown[0]!r}; known: {', '.join(_NODE_KEYS)}")
        try:
            self._make(kind, name, properties, _enabled(node))
        except HeadraceError as error:
            raise PipelineError(f"{error} ({place})", name) from error

    def _make(self, kind: str, name: str, properties: dict[str, Any], enabled: bool) -> None:
        if name in self.names:
            raise PipelineError(f"Element creation failed: the name {name!r} is taken")
        self.names.append(name)
        given = {key: value for key, value in properties.items() if value != ""}
        if "." in kind:
            self.objects[name] = CommonFactory.create(kind, name)
            self.objects[name].set(given)
        else:
            self.pipeline.add(kind if enabled else "identity", name, given if enabled else None)

    def connect(self, source: _End, target: _End) -> None:
        unknown = [end for end in (source, target) if end.name not in self.names]
        if unknown:
            self._report_unknown(unknown[0], f"edge {source}: {target}")
            return
        try:
            self._connect(source, target)
        except HeadraceError as error:
            raise PipelineError(f"{error} ({self.path}: edge {source}: {target})") from error

    def _connect(self, source: _End, target: _End) -> None:
        giver, taker = self.objects.get(source.name), self.objects.get(target.name)
        if isinstance(giver, Emitter) and taker is None:
            giver.attach(source.part, self.pipeline[target.name])
        elif giver is not None:
            raise PipelineError(f"{source.name!r} is no element, nor does it give orders to one")
        elif taker is not None:
            self.pipeline[source.name].attach(taker, source.part)
        else:
            self.pipeline[source.name].link(self.pipeline[target.name], (source.part, target.part))

    def _report_unknown(self, end: _End, edge: str) -> None:
        nodes = f"; nodes: {', '.join(self.names)}"
        hint = did_you_mean(end.name, self.names, nodes, "; did you mean {!r}?")
        text = f"{self.path}: {edge}: {end.name} Not found{hint}"
        if not self.pipeline.manners.keeps_going:
            raise PipelineError(text, end.name)
        self.pipeline.manners.warn(text)


def _enabled(node: dict[str, Any]) -> bool:
    return str(node.get("enable", "true")).strip().lower() not in ("false", "0", "no", "off")
