"""Where a Triton model of a configuration is: an ONNX file in a repository on disk, or on a server."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from headrace.errors import ConfigError
from headrace.infer.nvinfer.prototext import Message, parse_prototext
from headrace.paths import resolve

_DEFAULT = "model.onnx"


def locate_model(triton: Message, folder: Path) -> str:
    """What `headrace.infer.engines.open_engine` takes for a model: a file, or the URL of a server's model.

    Args:
        triton: ``infer_config.backend.triton``. With ``grpc`` in it the model is on a server; its ``url`` is
            ``host:port``, or begins with a scheme (``grpcs://``, ``http://``).
        folder: That of the configuration, from which a relative root starts.

    Raises:
        ConfigError: Names are missing, or there is no such file; as for `find_in_repository`.

    Example:
        >>> from headrace.infer.nvinfer.prototext import parse_prototext
        >>> text = 'model_name: "yolo" version: 3 grpc { url: "gpu-box:8001" }'
        >>> locate_model(parse_prototext(text, Path("c.txt")), Path())
        'grpc://gpu-box:8001/yolo/3'
    """
    if "grpc" not in triton.fields:
        return str(find_in_repository(triton, folder))
    name, url = triton.text("model_name"), triton.child("grpc").text("url")
    if not name or not url:
        raise ConfigError(
            f"{triton.place} names no model on a server; set model_name and grpc.url (host:8001)"
        )
    version = triton.number("version", -1)
    server = url if "://" in url else f"grpc://{url}"
    return "/".join([server.rstrip("/"), quote(name, safe=""), *([str(version)] if version >= 0 else [])])


def find_in_repository(triton: Message, folder: Path) -> Path:
    """The file of a model: ``root/model_name/VERSION/model.onnx``.

    The version is that of the configuration, or the highest there is for -1. Another name of the file may stand
    in the model's ``config.pbtxt`` (``default_model_filename``).

    Args:
        triton: ``infer_config.backend.triton``.
        folder: That of the configuration, from which a relative root starts.

    Raises:
        ConfigError: There is no such model, version or file; says where it was looked for.
    """
    name = triton.text("model_name")
    root = triton.child("model_repo").text("root")
    if not name or not root:
        raise ConfigError(f"{triton.place} names no model; set model_name, and model_repo.root or grpc.url")
    model = resolve(Path(root) / name, folder)
    if not model.is_dir():
        raise ConfigError(
            f"{triton.place}: there is no model {name} in {resolve(root, folder)}; check root and name"
        )
    version = _version(triton, model)
    file = version / _file_name(model)
    if not file.is_file():
        others = sorted(version.glob("*.onnx"))
        if len(others) != 1:
            there = ", ".join(sorted(entry.name for entry in version.iterdir())) or "nothing"
            raise ConfigError(
                f"{triton.place}: {file} does not exist ({version} holds {there}); only ONNX models are run here"
            )
        file = others[0]
    return file


def _version(triton: Message, model: Path) -> Path:
    wanted = triton.number("version", -1)
    found = {int(entry.name): entry for entry in model.iterdir() if entry.is_dir() and entry.name.isdigit()}
    if not found or (wanted >= 0 and wanted not in found):
        versions = ", ".join(map(str, sorted(found))) or "none"
        raise ConfigError(f"{triton.place}: {model} has no version {wanted}; versions: {versions}")
    return found[wanted if wanted >= 0 else max(found)]


def _file_name(model: Path) -> str:
    settings = model / "config.pbtxt"
    if not settings.is_file():
        return _DEFAULT
    return parse_prototext(settings.read_text(encoding="utf-8"), settings).text(
        "default_model_filename", _DEFAULT
    )
