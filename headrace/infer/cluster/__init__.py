"""From the many boxes that a network proposes to objects, as nvinfer's ``cluster-mode`` says (configs §1.1–1.3)."""

from headrace.infer.cluster.admission import admit
from headrace.infer.cluster.modes import cluster

__all__ = ["admit", "cluster"]
