"""Synthetic scenes with known truth: deterministic, of any size and rate, without files."""

from headrace.source.sim.options import SCENES, SceneOptions, parse_sim_uri
from headrace.source.sim.scene import Scene
from headrace.source.sim.truth import SIM_LABELS, Truth

__all__ = ["SCENES", "SIM_LABELS", "Scene", "SceneOptions", "Truth", "parse_sim_uri"]
