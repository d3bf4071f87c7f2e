"""The metadata contract: columnar tables, row views, pools."""

from headrace.meta.detections import Detections

__all__ = ["Detections"]
