"""Links: which pads are taken, which are requested, which are awaited."""

import pytest
from flows import play

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, Probe, ServiceMakerPipeline
from headrace.flow.linking import pads_of


def linked(pipeline, name):
    """Name of each linked pad of an element, and what it is linked to."""
    return {
        pad.get_name(): f"{pad.get_peer().get_parent_element().get_name()}.{pad.get_peer().get_name()}"
        for pad in pads_of(pipeline[name].element)
        if pad.is_linked()
    }


def build(*elements):
    pipeline = Pipeline("p")
    for factory, name in elements:
        pipeline.add(factory, name)
    return pipeline


def test_always_pads():
    pipeline = build(("videotestsrc", "a"), ("identity", "b"), ("fakesink", "c")).link("a", "b", "c")
    assert linked(pipeline, "b") == {"sink": "a.src", "src": "c.sink"}


@pytest.mark.parametrize("hints", [("", "sink_%u"), ("src", "sink_%u"), ("", ""), ("src", "")])
def test_request_pads_are_numbered_in_the_order_of_calls(hints):
    pipeline = build(("hrsimsrc", "a"), ("hrsimsrc", "b"), ("nvstreammux", "mux"))
    pipeline.link(("b", "mux"), hints).link(("a", "mux"), hints)
    assert linked(pipeline, "mux") == {"sink_0": "b.src", "sink_1": "a.src"}


def test_plain_links_request_too():
    pipeline = build(
        ("hrsimsrc", "a"), ("nvstreammux", "mux"), ("tee", "tee"), ("queue", "q1"), ("queue", "q2")
    )
    pipeline.link("a", "mux", "tee", "q1").link("tee", "q2")
    assert linked(pipeline, "tee") == {"sink": "mux.src", "src_0": "q1.sink", "src_1": "q2.sink"}


def test_a_concrete_pad_is_requested_by_its_name():
    pipeline = build(("hrsimsrc", "a"), ("nvstreammux", "mux"), ("nvstreamdemux", "d"), ("fakesink", "s"))
    pipeline.link(("a", "mux"), ("src", "sink_3")).link(("d", "s"), ("src_5", ""))
    assert linked(pipeline, "mux") == {"sink_3": "a.src"}
    assert linked(pipeline, "d") == {"src_5": "s.sink"}


def test_nodes_link_too():
    pipeline = build(("hrsimsrc", "a"), ("nvstreammux", "mux"), ("fakesink", "s"))
    pipeline["a"].link(pipeline["mux"], ("src", "sink_%u")).link(pipeline["s"])
    assert linked(pipeline, "mux") == {"sink_0": "a.src", "src": "s.sink"}


class Sources(BatchMetadataOperator):
    def __init__(self):
        self.seen = set()

    def handle_metadata(self, batch_meta):
        self.seen |= {frame.pad_index for frame in batch_meta.frame_items}


@pytest.mark.parametrize("factory", ["nvurisrcbin", "uridecodebin"])
def test_pads_that_come_later_are_linked_and_sound_is_left_out(factory, clip_with_sound, capfd):
    pipeline = ServiceMakerPipeline("p").add("nvstreammux", "mux", {"batch-size": 2}).add("fakesink", "sink")
    for index in range(2):
        pipeline.add(factory, f"source{index}", {"uri": clip_with_sound.as_uri()})
        pipeline.link((f"source{index}", "mux"), ("", "sink_%u"))
    sources = Sources()
    play(pipeline.link("mux", "sink").attach("mux", Probe("sources", sources)))
    assert sources.seen == {0, 1}
    out = capfd.readouterr().out
    assert "*** Inside cb_newpad name=" in out
    assert "LINKING: Source: source0 Target: mux" in out
    assert "ERROR" not in out


def test_a_hint_chooses_among_pads_that_come_later(clip_with_sound):
    pipeline = Pipeline("p").add("filesrc", "file", {"location": str(clip_with_sound)})
    pipeline.add("matroskademux", "source").link("file", "source")
    for name, hint in (("sound", "audio_%u"), ("video", "video_%u")):
        pipeline.add("fakesink", name, {"sync": False, "async": False}).link(("source", name), (hint, ""))
    pads = {}
    play(pipeline, lambda message: pads.update(linked(pipeline, "source")))
    assert pads == {"sink": "file.src", "video_0": "video.sink", "audio_0": "sound.sink"}


@pytest.mark.parametrize(
    ("names", "hints", "says"),
    [
        (("caps", "source"), ("", ""), "source (videotestsrc) has no sink pads"),
        (("sink", "caps"), ("", ""), "sink (fakesink) has no src pads"),
        (("caps", "sink"), ("", "snk"), "sink has no sink pad 'snk', but sink"),
        (("caps", "sink"), ("out", ""), "caps has no src pad 'out', but src"),
        (
            ("source", "sink"),
            ("", ""),
            "pad 'src' of source is linked already, to caps; a tee has several targets",
        ),
        (("caps", "mp3"), ("", ""), "caps (src: ANY) -> mp3 (sink: audio/mpeg"),
    ],
)
def test_why_elements_are_not_linked_is_said(names, hints, says):
    pipeline = Pipeline("p").add("videotestsrc", "source").add("capsfilter", "caps").add("fakesink", "sink")
    pipeline.add("mpegaudioparse", "mp3").link("source", "caps")
    with pytest.raises(PipelineError) as caught:
        pipeline.link(names, hints)
    assert f"Elements linking  failed: {says}" in str(caught.value)
