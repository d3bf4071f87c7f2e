"""Pictures of fisheye, wide-angle and panoramic cameras, seen as by another camera."""

from headrace.frames.dewarp.config import DewarpConfig, View, read_config
from headrace.frames.dewarp.warper import Warper

__all__ = ["DewarpConfig", "View", "Warper", "read_config"]
