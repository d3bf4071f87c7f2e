"""``pyservicemaker.flow``: pipelines as chains of stages."""

from headrace.flow import Flow, MediaType, RenderMode, StreamInfo

__all__ = ["Flow", "MediaType", "RenderMode", "StreamInfo"]
