"""Errors that Headrace raises: each names the thing at fault and what to do about it."""

from __future__ import annotations


class HeadraceError(Exception):
    """Base of every error that Headrace raises on purpose."""


class ModelError(HeadraceError):
    """A model cannot be loaded, or its tensors do not fit what was asked of it."""


class SupersededError(ModelError):
    """A model that was to replace another was not used, because a newer one was set meanwhile."""


class ConfigError(HeadraceError, ValueError):
    """A configuration file, option or property holds something that cannot be used."""


class FrameError(HeadraceError, ValueError):
    """A frame has a format, size or layout that the operation cannot take."""


class TensorError(HeadraceError, RuntimeError):
    """A tensor has a shape, type or device that the operation cannot take."""


class SourceError(HeadraceError):
    """A source (file, camera, scene) cannot be opened or read."""


class BrokerError(HeadraceError):
    """A message broker refused a connection or a message."""


class PipelineError(HeadraceError, RuntimeError):
    """A pipeline could not be built, or stopped because one of its elements failed.

    Attributes:
        element: Name of the element that reported the error; empty when the pipeline itself did.
        debug: What the element said beyond the message, a Python traceback for Python elements.
    """

    def __init__(self, message: str, element: str = "", debug: str = "") -> None:
        super().__init__(message)
        self.element = element
        self.debug = debug
