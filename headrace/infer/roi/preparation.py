"""Which function makes tensors: DeepStream's own, made anew here, or a user's in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, HeadraceError, ModelError
from headrace.infer.preprocess import PreprocessOptions
from headrace.infer.preprocess.mean import read_mean_picture
from headrace.infer.roi.config import PreprocessConfig
from headrace.infer.roi.pictures import Picture, Preparation, Prepared, chunks, fill
from headrace.infer.roi.sequences import SequencePreparation
from headrace.usercode import load_name

#: What a group's transformation may be called: scaling regions is all that is done here.
_TRANSFORMATIONS = (
    "",
    "CustomTransformation",
    "CustomAsyncTransformation",
    "CustomSequenceAsyncTransformation",
)


def make_preparation(config: PreprocessConfig) -> Preparation:
    """What makes the tensors of a configuration.

    ``CustomTensorPreparation`` and ``CustomSequenceTensorPreparation`` are built in, whatever library is named. Any
    other function has to be Python: ``file.py:function`` or ``package.module:function``, or a function whose
    ``custom-lib-path`` is a Python file; see `PythonPreparation`.

    Raises:
        ConfigError: A function of a C library, or a shape that does not fit.
        ModelError: No such Python function.
    """
    name, library = config.custom_tensor_preparation_function, config.custom_lib_path
    _check_transformations(config)
    if ":" in name or library.endswith(".py"):
        return PythonPreparation(name if ":" in name else f"{library}:{name}", config)
    if name == "CustomTensorPreparation":
        return TensorPreparation(config)
    if name == "CustomSequenceTensorPreparation":
        return SequencePreparation(config)
    raise ConfigError(
        f"{config.path}: [property] custom-tensor-preparation-function={name} of {library or 'no library'} is compiled "
        f"code, which cannot run here. Write it in Python: a file prepare.py with\n"
        f"    def {name}(pictures, regions, config):\n"
        f"        ...  # pictures: arrays (h, w, channels) uint8, a region each; config.user: [user-configs]\n"
        f"        return tensor  # a row for each picture, or None\n"
        f"and set custom-lib-path=prepare.py"
    )


def _check_transformations(config: PreprocessConfig) -> None:
    for group in config.groups:
        name = group.custom_input_transformation_function
        if name not in _TRANSFORMATIONS:
            raise ConfigError(
                f"{config.path}: [{group.name}] custom-input-transformation-function={name} is not known; use "
                "CustomAsyncTransformation, which scales regions, and do the rest in a tensor preparation function "
                "in Python"
            )


class TensorPreparation:
    """One row for each region: scaled, perhaps padded, ``factor * (x - offset)``; as nvinfer would do it.

    Args:
        config: ``network_input_shape`` is ``n;c;h;w``, or ``n;h;w;c`` with order 1; more than ``n`` regions become
            several tensors, the last of which has fewer rows.

    Raises:
        ConfigError: The shape does not fit colour or processing size, or the picture of means is none.

    Example:
        >>> from headrace.frames import Frame
        >>> from headrace.infer.roi import Picture, Region
        >>> preparation = TensorPreparation(PreprocessConfig(network_input_shape=(4, 3, 8, 8), pixel_factor=0.5))
        >>> frame = Frame.from_array(np.full((32, 32, 3), 10, np.uint8), "RGB")
        >>> [made] = preparation.prepare([Picture(frame, Region(0, (0, 0, 16, 16), (0, 0, 0)))])
        >>> made.tensor.shape, float(made.tensor.max())
        ((1, 3, 8, 8), 5.0)
    """

    def __init__(self, config: PreprocessConfig) -> None:
        self._config, self._options = config, config.options()
        shape, (width, height) = config.network_input_shape, config.size
        last = config.network_input_order == 1
        wanted = (height, width, config.channels) if last else (config.channels, height, width)
        if shape[1:] != wanted:
            raise ConfigError(
                f"{config.path}: [property] network-input-shape={';'.join(map(str, shape))} does not fit pictures of "
                f"{width}x{height} with {config.channels} channel(s): n;{';'.join(map(str, wanted))} would"
            )
        self._bias = self._mean(last) if config.mean_file else None

    def _mean(self, last: bool) -> NDArray[np.float32]:
        config = self._config
        mean = np.float32(config.pixel_factor) * read_mean_picture(
            config.mean_file, config.size, config.color
        )
        return mean if last else np.ascontiguousarray(mean.transpose(2, 0, 1))

    def prepare(self, pictures: Sequence[Picture]) -> list[Prepared]:
        """See `Preparation.prepare`."""
        made = []
        for part in chunks(pictures, self._config.network_input_shape[0]):
            tensor = np.empty((len(part), *self._config.network_input_shape[1:]), self._config.dtype)
            rows = [fill(*pair, self._options, self._bias) for pair in zip(tensor, part, strict=True)]
            made.append(Prepared(tensor, rows))
        return made

    def forget(self, source: int) -> None:
        """Nothing is kept."""


class PythonPreparation:
    """A user's function.

    It is called as ``function(pictures, regions, config)`` with at most ``n`` regions of one batch: ``pictures`` are
    ``(height, width, channels)`` uint8 at processing size, in the configured colours, padded if that is configured;
    ``regions`` their `Region`s; ``config`` the `PreprocessConfig`, whose ``user`` holds ``[user-configs]``. It returns
    an array with a row for each picture, of the axes of ``network-input-shape`` and the type of
    ``tensor-data-type``, or ``None`` for no tensor this time.

    Args:
        spec: ``file.py:function`` or ``package.module:function``.
        config: Everything else.

    Raises:
        ModelError: There is no such function.
    """

    def __init__(self, spec: str, config: PreprocessConfig) -> None:
        self._spec, self._config = spec, config
        self._function: Callable[..., Any] = load_name(spec, config.path.parent, "tensor preparation")
        options = config.options()
        self._options = PreprocessOptions(
            options.resize, options.padding, options.pad_value, options.color, 1.0,
            interpolation=options.interpolation,
        )  # fmt: skip

    def prepare(self, pictures: Sequence[Picture]) -> list[Prepared]:
        """See `Preparation.prepare`."""
        made = (self._one(part) for part in chunks(pictures, self._config.network_input_shape[0]))
        return [prepared for prepared in made if prepared is not None]

    def _one(self, part: Sequence[Picture]) -> Prepared | None:
        width, height = self._config.size
        arrays = [np.empty((height, width, self._config.channels), np.uint8) for _ in part]
        rows = [fill(array, picture, self._options) for array, picture in zip(arrays, part, strict=True)]
        try:
            tensor = self._function(arrays, [picture.region for picture in part], self._config)
        except HeadraceError:
            raise
        except Exception as error:  # the user's code may raise anything
            raise ModelError(f"{self._spec} failed: {type(error).__name__}: {error}") from error
        if tensor is None:
            return None
        shape = (len(part), *self._config.network_input_shape[1:])
        if not isinstance(tensor, np.ndarray) or tensor.shape != shape or tensor.dtype != self._config.dtype:
            what = (
                f"{tensor.dtype}{list(tensor.shape)}"
                if isinstance(tensor, np.ndarray)
                else type(tensor).__name__
            )
            raise ModelError(f"{self._spec} returned {what}; expected {self._config.dtype}{list(shape)}")
        return Prepared(tensor, rows)

    def forget(self, source: int) -> None:
        """What the function keeps is its own business."""
