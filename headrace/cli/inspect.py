"""``headrace inspect MODEL``: what a model file is and what Headrace would do with it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table

from headrace.cli import _pictures
from headrace.cli._terminal import FAILED, err, errors_in_a_line, out, set_up_logging
from headrace.errors import ConfigError, HeadraceError, ModelError
from headrace.frames import Frame
from headrace.infer import InferOptions, InferStage, ModelInfo, Result, describe, load_model
from headrace.infer.options import parse_decoder_options, parse_size
from headrace.infer.preprocess import parse_preprocess
from headrace.usercode import names_code

_SHOWN_LABELS = 8


def command(
    model: Annotated[str, typer.Argument(help="file.onnx, file.py:Class or package.module:Class.")],
    image: Annotated[
        list[Path] | None, typer.Option(help="Picture to run the model on; may be repeated.")
    ] = None,
    video: Annotated[str | None, typer.Option(help="Clip or address to take frames from.")] = None,
    frames: Annotated[int, typer.Option(min=1, max=100, help="How many frames of the clip.")] = 9,
    drawn: Annotated[Path | None, typer.Option("--out", help="Where the drawn picture goes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as one JSON object.")] = False,
    save: Annotated[
        bool, typer.Option(help="Write what was chosen into MODEL.headrace.yaml, to be edited.")
    ] = False,
    trials: Annotated[
        bool, typer.Option("--try", help="Try every usual preprocessing on the pictures.")
    ] = False,
    labels: Annotated[str | None, typer.Option(help="Text file with a class name on each line.")] = None,
    engine: Annotated[str, typer.Option(help="What runs the file.")] = "auto",
    decoder: Annotated[str, typer.Option(help="Meaning of the outputs.")] = "auto",
    decoder_options: Annotated[
        str, typer.Option(help="Options of that family: {order: 'class,score'}.")
    ] = "",
    preprocess: Annotated[str, typer.Option(help="What to change in it: 'color=BGR scale=1/255'.")] = "",
    input_size: Annotated[str, typer.Option(help="Width and height where they are open: 640x384.")] = "",
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Detections below it are left out.")] = 0.25,
    nms: Annotated[float, typer.Option(min=0, max=1, help="Overlap above which the weaker box goes.")] = 0.45,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Show tensors, decoder, labels and preprocessing with reasons; with pictures, what the model finds in them."""
    set_up_logging(verbose)
    with errors_in_a_line(verbose):
        if not image and video is None and (drawn is not None or trials):
            raise ConfigError(
                f"{'--out' if drawn else '--try'} needs --image or --video: there is nothing to look at"
            )
        options = InferOptions(
            model=model, labels=labels, confidence=confidence, nms=nms, decoder=decoder, engine=engine,
            decoder_options=parse_decoder_options(decoder_options), preprocess=parse_preprocess(preprocess) or None,
            input_size=parse_size(input_size, "--input-size"),
        )  # fmt: skip
        info = None if names_code(model) else describe(model, options)
        if info is not None and info.problem:
            _show(info, as_json, [])
            err.print(f"error: {info.problem}", style="red", markup=False)
            raise typer.Exit(FAILED)
        pictures = _read(image or [], video, frames)
        found = _run(options, pictures) if pictures else []
        if info is not None:
            _show(info, as_json, found)
            _save(info, options, save)
        if not as_json:
            for (name, _), result in zip(pictures, found, strict=True):
                _list(name, result)
        if drawn is not None:
            pairs = zip(pictures, found, strict=True)
            _pictures.write(
                _pictures.sheet([_pictures.draw(picture, one) for (_, picture), one in pairs]), drawn
            )
        if trials:
            _try(options, [picture for _, picture in pictures])


def _show(info: ModelInfo, as_json: bool, found: Sequence[Result]) -> None:
    if as_json:
        values = info.as_dict()
        values["pictures"] = [_plain(result) for result in found]
        out.print(json.dumps(values, ensure_ascii=False), markup=False)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_row("file", escape(info.path))
    table.add_row("engine", info.engine)
    for kind, tensors in (("input", info.inputs), ("output", info.outputs)):
        for tensor in tensors:
            table.add_row(kind, escape(str(tensor)))
    table.add_row("decoder", f"{info.decoder} ({info.task})" if info.decoder else "none fits, or several do")
    shown = ", ".join(info.labels[:_SHOWN_LABELS]) + (", ..." if len(info.labels) > _SHOWN_LABELS else "")
    table.add_row(
        "labels", escape(f"{len(info.labels)}: {shown}") if info.labels else "not known: give --labels"
    )
    if info.input_size is not None:
        table.add_row("input size", f"{info.input_size[0]}x{info.input_size[1]}")
    if info.wide_size is not None:
        table.add_row("wide frames", f"{info.wide_size[0]}x{info.wide_size[1]}")
    if info.preprocess is not None:
        steps = dataclasses.asdict(info.preprocess).items()
        table.add_row("preprocessing", escape(", ".join(f"{name} {value}" for name, value in steps)))
    for number, reason in enumerate(info.reasons):
        table.add_row("" if number else "reasons", escape(reason))
    for number, candidate in enumerate(info.candidates if len(info.candidates) > 1 else ()):
        table.add_row("" if number else "candidates", escape(candidate))
    for key, value in sorted(info.metadata.items()):
        table.add_row(f"metadata {escape(key)}", escape(value if len(value) <= 100 else value[:97] + "..."))
    out.print(table)


def _plain(result: Result) -> dict[str, Any]:
    """A result in types that JSON knows."""
    values: dict[str, Any] = {}
    if (found := result.detections) is not None:
        columns = ("xyxy", "confidence", "class_id", "rotation", "keypoints")
        values["objects"] = {
            name: getattr(found, name).tolist() for name in columns if getattr(found, name) is not None
        }
    if result.labels:
        values["labels"] = [dataclasses.asdict(label) for label in result.labels]
    if result.segmentation is not None:
        values["classes"] = _shares(result.segmentation.class_map)
    if result.keypoints is not None:
        values["keypoints"] = result.keypoints.tolist()
    if result.embedding is not None:
        values["embedding"] = result.embedding.tolist()
    return values


def _shares(class_map: NDArray[np.int32]) -> dict[int, float]:
    """How much of a picture each class fills, the largest first; -1 is no class."""
    numbers, counts = np.unique(class_map, return_counts=True)
    return {int(numbers[k]): round(float(counts[k]) / class_map.size, 4) for k in np.argsort(-counts)}


def _save(info: ModelInfo, options: InferOptions, save: bool) -> None:
    if save:
        from headrace.infer.files.sidecar import write_sidecar

        err.print(f"saved: {write_sidecar(options.model, info.as_sidecar())}", markup=False)


def _read(images: Sequence[Path], video: str | None, count: int) -> list[tuple[str, _pictures.Picture]]:
    pictures = [(str(path), _pictures.read_image(path)) for path in images]
    if video is not None:
        clip = _pictures.read_clip(video, count)
        pictures += [(f"{video} frame {number}", picture) for number, picture in enumerate(clip)]
    return pictures


def _run(options: InferOptions, pictures: Sequence[tuple[str, _pictures.Picture]]) -> list[Result]:
    model = load_model(options.model, options)
    stage = InferStage(model, options)
    try:
        return [stage.run([Frame.from_array(picture, "BGR")])[0] for _, picture in pictures]
    except HeadraceError:
        raise
    except Exception as error:  # the user's code may raise anything
        raise ModelError(f"{options.model}: {type(error).__name__}: {error}") from error
    finally:
        stage.close()
        model.close()


def _list(name: str, result: Result) -> None:
    found, names = result.detections, result.names
    if found is not None:
        out.print(f"{name}: {len(found)} objects", markup=False)
        for box, score, number, _ in found:
            word = names[number] if number < len(names) else number
            out.print(
                f"  {word} {score:.2f} [{', '.join(f'{edge:.1f}' for edge in box.tolist())}]", markup=False
            )
    for label in result.labels or ():
        out.print(f"{name}: {label.label or label.class_id} {label.prob:.3f}", markup=False)
    if result.segmentation is not None:
        shares = ", ".join(
            f"{names[k] if 0 <= k < len(names) else k} {share:.1%}"
            for k, share in _shares(result.segmentation.class_map).items()
        )
        out.print(f"{name}: pixels of {shares}", markup=False)
    if result.keypoints is not None:
        points = ", ".join(f"({x:.1f}, {y:.1f}) {sure:.2f}" for x, y, sure in result.keypoints.tolist())
        out.print(f"{name}: points {points}", markup=False)
    if result.embedding is not None:
        out.print(f"{name}: a vector of {len(result.embedding)} numbers", markup=False)


def _try(options: InferOptions, pictures: Sequence[_pictures.Picture]) -> None:
    from headrace.infer.files.preprocess_trials import try_preprocessing

    table = Table(box=None, padding=(0, 2, 0, 0), title="preprocessing, the best first", title_justify="left")
    for heading in ("", "colour", "values", "resize", "objects", "score", "to use it"):
        table.add_column(heading)
    for trial in try_preprocessing([Frame.from_array(picture, "BGR") for picture in pictures], options):
        table.add_row(
            "in use" if trial.chosen else "", trial.color, trial.values, trial.resize, str(trial.objects),
            f"{trial.score:.2f}", escape(f'--preprocess "{trial.change}"'),
        )  # fmt: skip
    out.print(table)
