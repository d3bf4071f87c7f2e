"""``headrace inspect MODEL``: what a model file is and what Headrace would do with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table

from headrace.cli._terminal import FAILED, err, errors_in_a_line, out, set_up_logging
from headrace.errors import ConfigError, HeadraceError, ModelError
from headrace.frames import Frame
from headrace.infer import InferOptions, InferStage, ModelInfo, describe, load_model
from headrace.meta import Detections

_SHOWN_LABELS = 8
_LINE = 2


def command(
    model: Annotated[str, typer.Argument(help="file.onnx, file.py:Class or package.module:Class.")],
    image: Annotated[Path | None, typer.Option(help="Picture to run the model on.")] = None,
    drawn: Annotated[Path | None, typer.Option("--out", help="Where the drawn picture goes.")] = None,
    labels: Annotated[str | None, typer.Option(help="Text file with a class name on each line.")] = None,
    decoder: Annotated[str, typer.Option(help="Meaning of the outputs.")] = "auto",
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Detections below it are left out.")] = 0.25,
    nms: Annotated[float, typer.Option(min=0, max=1, help="Overlap above which the weaker box goes.")] = 0.45,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Show tensors, decoder, labels and preprocessing; with a picture, what the model finds in it."""
    set_up_logging(verbose)
    with errors_in_a_line(verbose):
        if drawn is not None and image is None:
            raise ConfigError("--out needs --image: there is nothing to draw on")
        options = InferOptions(model=model, labels=labels, confidence=confidence, nms=nms, decoder=decoder)
        problem = ""
        if not is_code(model):
            info = describe(model, options)
            _show(info)
            problem = info.problem
        if problem:
            err.print(f"error: {problem}", style="red", markup=False)
            raise typer.Exit(FAILED)
        if image is not None:
            _run(options, image, drawn)


def is_code(model: str) -> bool:
    """Whether a model is a class in Python code rather than a file of weights.

    Example:
        >>> is_code("cats.py:Cats"), is_code("yolox.onnx")
        (True, False)
    """
    return model.rpartition(":")[2].isidentifier() and ":" in model


def _show(info: ModelInfo) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_row("file", escape(info.path))
    table.add_row("engine", info.engine)
    for kind, tensors in (("input", info.inputs), ("output", info.outputs)):
        for tensor in tensors:
            table.add_row(kind, escape(str(tensor)))
    table.add_row("decoder", info.decoder or "none fits")
    shown = ", ".join(info.labels[:_SHOWN_LABELS]) + (", ..." if len(info.labels) > _SHOWN_LABELS else "")
    table.add_row(
        "labels", escape(f"{len(info.labels)}: {shown}") if info.labels else "not known: give --labels"
    )
    if info.input_size is not None:
        table.add_row("input size", f"{info.input_size[0]}x{info.input_size[1]}")
    if info.preprocess is not None:
        steps = dataclasses.asdict(info.preprocess).items()
        table.add_row("preprocessing", escape(", ".join(f"{name} {value}" for name, value in steps)))
    for key, value in sorted(info.metadata.items()):
        table.add_row(f"metadata {escape(key)}", escape(value if len(value) <= 100 else value[:97] + "..."))
    out.print(table)


def _run(options: InferOptions, image: Path, drawn: Path | None) -> None:
    pixels = _read(image)
    frame = Frame.from_array(pixels, "BGR")
    model = load_model(options.model, options)
    stage = InferStage(model, options)
    try:
        result = stage.submit([frame]).result()[0]
    except HeadraceError:
        raise
    except Exception as error:  # the user's code may raise anything
        raise ModelError(f"{image}: {type(error).__name__}: {error}") from error
    finally:
        stage.close()
        model.close()
    if result.detections is not None:
        names = _names(result.detections, model.labels)
        _list(image, result.detections, names)
        _draw(frame, result.detections, names)
    for label in result.labels or ():
        out.print(f"{image}: {label.label or label.class_id} {label.prob:.3f}", markup=False)
    if drawn is not None:
        _write(pixels, drawn)


def _read(image: Path) -> NDArray[np.uint8]:
    import cv2

    picture = cv2.imread(str(image), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConfigError(f"{image} is no picture that can be read; give a PNG or JPEG file")
    return np.ascontiguousarray(picture, np.uint8)


def _names(found: Detections, labels: tuple[str, ...]) -> list[str]:
    known = len(labels)
    return [
        f"{labels[c] if 0 <= c < known else c} {score:.2f}"
        for c, score in zip(found.class_id.tolist(), found.confidence.tolist(), strict=True)
    ]


def _list(image: Path, found: Detections, names: list[str]) -> None:
    out.print(f"{image}: {len(found)} objects", markup=False)
    for name, box in zip(names, found.xyxy.tolist(), strict=True):
        out.print(f"  {name} [{', '.join(f'{edge:.1f}' for edge in box)}]", markup=False)


def _draw(frame: Frame, found: Detections, names: list[str]) -> None:
    from headrace.draw import class_colors, draw_boxes, draw_labels

    boxes = found.xyxy.copy()
    boxes[:, 2:] -= boxes[:, :2]
    colors = class_colors(found.class_id)
    draw_boxes(frame, boxes, np.full(len(boxes), _LINE), colors)
    draw_labels(frame, names, boxes, colors)


def _write(picture: NDArray[np.uint8], path: Path) -> None:
    import cv2

    try:
        fine = cv2.imwrite(str(path), picture)
    except cv2.error as error:
        raise ConfigError(f"cannot write {path}: {' '.join(str(error).split())}") from error
    if not fine:
        raise HeadraceError(f"cannot write {path}; check folder, permissions and space")
    out.print(f"drawn: {path}", markup=False)
