"""Tensors of several frames each, for networks that see motion (action recognition)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.preprocess import PreprocessOptions
from headrace.infer.roi.config import PreprocessConfig
from headrace.infer.roi.pictures import Picture, Placed, Prepared, chunks, fill

#: Regions, or objects, of which frames are kept at most; the one not seen for longest gives way.
_KEPT = 256


class _Sequence:
    """The last frames of one region."""

    def __init__(self) -> None:
        self.frames: list[NDArray[Any]] = []
        self.seen = self.skip = 0

    def add(self, frame: NDArray[Any], length: int, stride: int, subsample: int) -> list[NDArray[Any]] | None:
        """Take a frame in; returns the sequence when it is complete."""
        taken = self.seen % (subsample + 1) == 0
        self.seen += 1
        if not taken:
            return None
        if self.skip:
            self.skip -= 1
            return None
        self.frames.append(frame)
        if len(self.frames) < length:
            return None
        complete = self.frames[-length:]
        self.frames, self.skip = self.frames[stride:], max(stride - length, 0)
        return complete


class SequencePreparation:
    """One row for each region whose sequence of frames is complete, ``(x - offset) * factor`` for each channel.

    Args:
        config: ``network_input_shape`` is ``n;c;d;h;w`` (d frames one after the other along the third axis), or
            ``n;d*c;h;w`` (their channels one after the other). ``user`` has ``channel-scale-factors``,
            ``channel-mean-offsets``, ``stride`` (frames between the starts of two sequences, 1) and ``subsample``
            (frames left out after each that is taken, 0).

    Raises:
        ConfigError: The shape or a key does not fit.

    Example:
        >>> from headrace.frames import Frame
        >>> from headrace.infer.roi import Picture, Region
        >>> preparation = SequencePreparation(PreprocessConfig(network_input_shape=(1, 3, 2, 8, 8)))
        >>> frame = Frame.from_array(np.zeros((8, 8, 3), np.uint8), "RGB")
        >>> batch = [Picture(frame, Region(0, (0, 0, 8, 8), (0, 0, 0)))]
        >>> [[made.tensor.shape for made in preparation.prepare(batch)] for _ in range(3)]
        [[], [(1, 3, 2, 8, 8)], [(1, 3, 2, 8, 8)]]
    """

    def __init__(self, config: PreprocessConfig) -> None:
        self._config = config
        self._axes = len(config.network_input_shape)
        shape, (width, height), channels = config.network_input_shape, config.size, config.channels
        fits = shape[-2:] == (height, width) and (
            (self._axes == 5 and shape[1] == channels) or (self._axes == 4 and shape[1] % channels == 0)
        )
        if not fits:
            raise ConfigError(
                f"{config.path}: [property] network-input-shape={';'.join(map(str, shape))} is no sequence of pictures "
                f"of {width}x{height} with {channels} channel(s); write n;{channels};frames;{height};{width}"
            )
        self._length = shape[2] if self._axes == 5 else shape[1] // channels
        self._stride = self._number("stride", 1, 1)
        self._subsample = self._number("subsample", 0, 0)
        self._options = self._made_options()
        self._sequences: OrderedDict[tuple[int, int, int], _Sequence] = OrderedDict()

    def _made_options(self) -> PreprocessOptions:
        factors = self._list("channel-scale-factors", 1.0)
        if 0 in factors:
            raise ConfigError(f"{self._config.path}: [user-configs] channel-scale-factors has a 0")
        std = tuple(1 / factor for factor in factors)
        mean = self._list("channel-mean-offsets", 0.0)
        return replace(self._config.options(), scale=1.0, mean=mean, std=std)

    def _number(self, name: str, default: int, least: int) -> int:
        text = self._config.user.get(name, "") or str(default)
        if not text.strip().isdigit() or int(text) < least:
            raise ConfigError(
                f"{self._config.path}: [user-configs] {name}={text}: give a whole number, {least} or more"
            )
        return int(text)

    def _list(self, name: str, default: float) -> tuple[float, ...]:
        text, channels = self._config.user.get(name, ""), self._config.channels
        try:
            numbers = tuple(float(part) for part in text.split(";") if part.strip()) or (default,) * channels
        except ValueError:
            numbers = ()
        if len(numbers) != channels:
            raise ConfigError(
                f"{self._config.path}: [user-configs] {name}={text}: give {channels} numbers separated by ;"
            )
        return numbers

    def prepare(self, pictures: Sequence[Picture]) -> list[Prepared]:
        """See `Preparation.prepare`."""
        complete: list[tuple[NDArray[Any], Placed]] = []
        for picture in pictures:
            frame = np.empty(
                (self._config.channels, *self._config.network_input_shape[-2:]), self._config.dtype
            )
            placed = fill(frame, picture, self._options)
            frames = self._sequence(picture.region.key).add(
                frame, self._length, self._stride, self._subsample
            )
            if frames is not None:
                complete.append((self._joined(frames), placed))
        return [
            Prepared(np.stack([tensor for tensor, _ in part]), [placed for _, placed in part])
            for part in chunks(complete, self._config.network_input_shape[0])
        ]

    def _sequence(self, key: tuple[int, int, int]) -> _Sequence:
        sequence = self._sequences.setdefault(key, _Sequence())
        self._sequences.move_to_end(key)
        if len(self._sequences) > _KEPT:
            self._sequences.popitem(last=False)
        return sequence

    def _joined(self, frames: list[NDArray[Any]]) -> NDArray[Any]:
        return np.stack(frames, axis=1) if self._axes == 5 else np.concatenate(frames)

    def forget(self, source: int) -> None:
        """See `Preparation.forget`."""
        for key in [key for key in self._sequences if key[0] == source]:
            del self._sequences[key]
