from __future__ import annotations

import pytest

from headrace.errors import ConfigError
from headrace.source.sim import SCENES, SceneOptions, parse_sim_uri


def test_address_gives_every_option():
    uri = "sim://highway?seed=5&objects=3&width=641&height=359&fps=12.5&frames=-1&noise=1.5&light=0"
    assert parse_sim_uri(uri) == SceneOptions("highway", 5, 3, 641, 359, 12.5, -1, 1.5, 0.0)


def test_address_without_options_uses_defaults():
    assert parse_sim_uri("sim://plaza") == SceneOptions("plaza")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("sim://crossroad?widht=3", "did you mean 'width'"),
        ("sim://crossroad?object=3", "did you mean 'objects'"),
        ("sim://moon", "crossroad, highway, plaza"),
        ("sim://", "crossroad, highway, plaza"),
        ("file:///x", "no scene address"),
        ("sim://plaza?seed=one", "not a whole number"),
        ("sim://plaza?seed=1.5", "not a whole number"),
        ("sim://plaza?fps=fast", "not a number"),
        ("sim://plaza?fps=nan", "must lie within"),
        ("sim://plaza?fps=0", "must lie within 1 and 240"),
        ("sim://plaza?width=8", "must lie within 16 and 7680"),
        ("sim://plaza?objects=-1", "must lie within 0 and 64"),
        ("sim://plaza?seed=1&seed=2", "twice"),
        ("sim://plaza?seed=", "not a whole number"),
    ],
)
def test_mistakes_are_named(uri: str, message: str):
    with pytest.raises(ConfigError, match=message):
        parse_sim_uri(uri)


def test_every_scene_can_be_named():
    assert [parse_sim_uri(f"sim://{name}").scene for name in SCENES] == list(SCENES)
