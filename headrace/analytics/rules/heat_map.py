"""Where objects are: an array, a picture, and events ``heat`` with what came since the last."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.analytics.source import SourceAnalysis
from headrace.errors import ConfigError
from headrace.paths import resolve

_WAITING = 64  # frames that are kept before they are counted


class HeatMapSettings(RuleSettings):
    """What the rule is told."""

    columns: int = Field(64, ge=2, le=1024, description="Cells across the frame.")
    period: float = Field(10.0, gt=0, description="Seconds from one event to the next.")
    file: str = Field(
        "", description="NPY or PNG file to write when the source ends; {source} is its number."
    )


class HeatMapRule(Rule):
    """Seconds that objects stood in each cell of the frame."""

    settings_type = HeatMapSettings
    settings: HeatMapSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        width, height = source.size
        self._cell = width / self.settings.columns
        self._shape = max(round(height / self._cell), 1), self.settings.columns
        self._counts = np.zeros(self._shape)
        self._sent = np.zeros(self._shape)
        self._waiting: list[tuple[float, NDArray[np.float64]]] = []
        self._last = self._told = source.began
        if self.settings.file and not self.settings.file.lower().endswith((".npy", ".png")):
            raise ConfigError(f"rule {self.name}: file {self.settings.file!r} must end in .npy or .png")

    @property
    def array(self) -> NDArray[np.float64]:
        """``(rows, columns)`` seconds that objects stood in each cell."""
        self._count()
        return self._counts

    def image(self, picture: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """The map as a picture ``(H, W, 3)`` BGR of the frame's size, over another one if given."""
        heat = np.sqrt(self.array / max(float(self.array.max()), 1e-9))
        small = np.asarray(heat * 255, np.uint8)
        colors = cv2.applyColorMap(cv2.resize(small, self.source.size), cv2.COLORMAP_TURBO)
        if picture is None:
            return np.asarray(colors, np.uint8)
        share = 0.7 * cv2.resize(heat, picture.shape[1::-1])[..., None]
        return np.asarray(picture * (1 - share) + cv2.resize(colors, picture.shape[1::-1]) * share, np.uint8)

    def update(self, moment: Moment) -> None:
        """Keep where they are; count now and then."""
        feet = moment.feet if self.who is None else moment.feet[moment.of(self.who)]
        self._waiting.append((moment.time - self._last, feet))
        self._last = moment.time
        if len(self._waiting) >= _WAITING:
            self._count()
        if moment.time - self._told >= self.settings.period:
            self._told, new = moment.time, self.array - self._sent
            self._sent = self.array.copy()
            rows, columns = self._shape
            cells = {int(i): round(float(new.flat[i]), 2) for i in np.flatnonzero(new > 0)}
            moment.emit(
                self.name, "heat", columns=columns, rows=rows, cells=cells, seconds=self.settings.period
            )

    def _count(self) -> None:
        if self._waiting:
            feet = np.concatenate([feet for _, feet in self._waiting])
            times, counts = zip(*((seconds, len(feet)) for seconds, feet in self._waiting), strict=True)
            weight = np.repeat(times, counts)
            last = self._shape[1] - 1, self._shape[0] - 1
            column, row = np.minimum(np.maximum(feet / self._cell, 0), last).astype(np.intp).T
            cells = np.bincount(row * self._shape[1] + column, weight, self._counts.size)
            self._counts += cells.reshape(self._shape)
            self._waiting.clear()

    def close(self) -> None:
        """Write the file."""
        if self.settings.file:
            path = resolve(self.settings.file.format(source=self.source.index), self.source.settings.base)
            if path.suffix.lower() == ".npy":
                np.save(path, self.array)
            elif not cv2.imwrite(str(path), self.image()):
                raise ConfigError(f"rule {self.name}: {path} cannot be written; check its folder")


RULE = HeatMapRule
