"""torch's files that are programs: TorchScript and exported programs. Nothing is unpickled that could run code."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from headrace.errors import ModelError
from headrace.infer.engines.base import TensorSpec
from headrace.infer.engines.faults import cannot_load

LIBRARY = f"torch {torch.__version__}"
#: Where exporters keep what they know of the model, as JSON; ultralytics' name for it.
METADATA = "config.txt"


@dataclass(frozen=True, slots=True)
class TorchProgram:
    """A module with what is known of it.

    Attributes:
        path: The file.
        module: Takes and returns tensors.
        inputs: What it takes.
        sizes: For each input the shape of an example; empty for one batch of pictures of a size that is not told.
        outputs: Shapes of the outputs in order, ``None`` where they follow the input; ``None`` if unknown.
        metadata: What the exporter stored.
        place: Makes the module for a device, where ``module.to`` is not enough.

    Example:
        >>> TorchProgram("flat.pt", torch.nn.Flatten(), ()).on(torch.device("cpu"))
        Flatten(start_dim=1, end_dim=-1)
    """

    path: str
    module: torch.nn.Module
    inputs: tuple[TensorSpec, ...]
    sizes: tuple[tuple[int, ...], ...] = ()
    outputs: tuple[tuple[int | None, ...], ...] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    place: Callable[[torch.device], torch.nn.Module] | None = None

    def on(self, device: torch.device) -> torch.nn.Module:
        """The module on a device."""
        return self.module.to(device) if self.place is None else self.place(device)


def read(path: str) -> TorchProgram:
    """Load a program.

    Raises:
        ModelError: The file is damaged, or it is a checkpoint: weights, or a pickled object whose loading would run
            whatever code is in it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] for name in archive.namelist()]
            exported = "archive_format" in names or "serialized_exported_program.json" in archive.namelist()
            if exported:
                _refuse_pickles(path, archive)
    except (zipfile.BadZipFile, OSError, ValueError, KeyError) as error:
        raise cannot_load(path, LIBRARY, reason(error)) from error
    if exported:
        return _exported(path)
    if "constants.pkl" in names:
        return _script(path)
    raise ModelError(
        f"{path} is a checkpoint, no program: loading it could run any code. Export it where its own code is "
        "installed: torch.export.save(torch.export.export(model, (example,)), 'model.pt2'). A checkpoint of "
        "ultralytics or rfdetr that you trust opens with engine=ultralytics or engine=rfdetr"
    )


def reason(error: BaseException) -> str:
    r"""What an error of torch's says, without the trace of a script, whose last line is the reason.

    Example:
        >>> reason(RuntimeError("The following operation failed in the TorchScript interpreter.\n at: x\nBad shape"))
        'Bad shape'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1] if "TorchScript" in lines[0] else " ".join(lines)


def _refuse_pickles(path: str, archive: zipfile.ZipFile) -> None:
    """Refuse an exported program if what torch would unpickle in it is more than tensors."""
    names = archive.namelist()
    if len(set(names)) < len(names):  # torch might read another of the two than the one looked at here
        raise ModelError(f"{path} holds parts of the same name; export it again")
    for name in _pickled(archive):
        try:
            torch.load(io.BytesIO(archive.read(name)), weights_only=True)
        except Exception as error:  # a damaged pickle may raise anything
            raise ModelError(
                f"{path} holds pickled objects ({name}), which could run any code; export it without"
            ) from error


def _pickled(archive: zipfile.ZipFile) -> Iterator[str]:
    """Parts of an archive that torch unpickles."""
    for name in archive.namelist():
        folder, _, file = name.rpartition("/")
        if file.endswith("_config.json"):
            payloads = json.loads(archive.read(name)).get("config", {}).values()
            yield from (f"{folder}/{one['path_name']}" for one in payloads if one.get("use_pickle"))
        elif file.startswith("opaque_obj") or (file.endswith(".pt") and archive.getinfo(name).file_size):
            yield name


def _exported(path: str) -> TorchProgram:
    extra = {METADATA: ""}
    try:
        program = torch.export.load(path, extra_files=extra)
        return _described(path, program, _texts(path, extra[METADATA]))
    except ModelError:
        raise
    except Exception as error:  # torch has no common base class for what a damaged file brings about
        raise cannot_load(path, LIBRARY, reason(error)) from error


def _described(path: str, program: Any, metadata: Mapping[str, str]) -> TorchProgram:
    """An exported program with the shapes that it tells."""
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    names, given = program.graph_signature.user_inputs, program.graph_signature.user_outputs
    taken = [values[name] for name in names]
    module = _tolerant(program.module())

    def place(device: torch.device) -> torch.nn.Module:
        from torch.export.passes import move_to_device_pass

        return module if device.type == "cpu" else _tolerant(move_to_device_pass(program, device).module())

    dtypes = [str(value.dtype).removeprefix("torch.") for value in taken]
    return TorchProgram(
        path,
        module,
        tuple(TensorSpec(n, _shape(v), d) for n, v, d in zip(names, taken, dtypes, strict=True)),
        tuple(tuple(n if isinstance(n, int) else int(n.node.hint) for n in value.shape) for value in taken),
        tuple(_shape(values[name]) for name in given),
        metadata,
        place,
    )


def _tolerant(module: Any) -> torch.nn.Module:
    """Without the checks that tensors in between have the number type that they had at the export.

    They would fail where the engine computes in 16 bits.
    """
    for node in list(module.graph.nodes):
        if node.target is torch.ops.aten._assert_tensor_metadata.default:
            module.graph.erase_node(node)
    module.recompile()
    return module


def _shape(value: Any) -> tuple[int | None, ...]:
    return tuple(n if isinstance(n, int) else None for n in value.shape)


def _script(path: str) -> TorchProgram:
    extra = {METADATA: ""}

    def place(device: torch.device) -> torch.nn.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # meant for those who write such files
            # Loaded there, because constants in the code would not move with the module.
            return torch.jit.load(path, map_location=device, _extra_files=extra).eval()

    try:
        module = place(torch.device("cpu"))
    except Exception as error:  # as above
        raise cannot_load(path, LIBRARY, reason(error)) from error
    names = [argument.name for argument in module.forward.schema.arguments[1:]]
    if len(names) != 1:
        raise ModelError(
            f"{path} takes {', '.join(names) or 'no input'}; a TorchScript file tells no shapes, so only those with "
            "one input, a batch of pictures, can be run: export it as .pt2 or ONNX"
        )
    program = pictures_program(path, module, names[0], _texts(path, extra[METADATA]))
    return replace(program, place=lambda device: module if device.type == "cpu" else place(device))


def pictures_program(
    path: str, module: torch.nn.Module, name: str, metadata: Mapping[str, str]
) -> TorchProgram:
    """A program with one input, a batch of pictures in the number type of its first weights."""
    weights = next((p for p in module.parameters() if p.ndim == 4), None)
    dtype = "float16" if weights is not None and weights.dtype == torch.float16 else "float32"
    channels = 1 if metadata.get("channels") == "1" else 3
    return TorchProgram(
        path, module, (TensorSpec(name, (None, channels, None, None), dtype),), metadata=metadata
    )


def _texts(path: str, stored: str | bytes) -> dict[str, str]:
    """Metadata as text by key, as in ONNX files."""
    try:
        return {str(key): str(value) for key, value in (json.loads(stored) if stored else {}).items()}
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{path}: {METADATA} in it is no JSON object; export it again") from error


class Named(torch.nn.Module):
    """A module that returns a tuple, as one that returns a mapping.

    Args:
        module: Returns at most as many tensors as there are names.
        names: What they are called, in order.

    Example:
        >>> list(Named(torch.nn.Identity(), ["rows"])(torch.zeros(1, 2)))
        ['rows']
    """

    def __init__(self, module: torch.nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.module, self.names = module, names

    def forward(self, *inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """The module's tensors by name."""
        return dict(zip(self.names, self.module(*inputs), strict=False))
