"""``pyservicemaker.pipeline``: pipelines with that package's manners."""

from headrace.flow import ServiceMakerPipeline as Pipeline

__all__ = ["Pipeline"]
