"""hrinfer lets its model get ready for the batches that come, before the first."""

import pytest
from gi.repository import Gst

WARM = """
from headrace import Detections, Detector
class Ready(Detector):
    calls = []
    def warm(self, pictures, whole=True):
        self.calls.append((pictures, whole))
    def infer(self, frames):
        self.calls.append("frames")
        return [Detections.empty() for _ in frames]
class Other(Ready):
    calls = []
class Failing(Ready):
    def warm(self, pictures, whole=True):
        raise MemoryError("no room")
"""


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Runs a pipeline with a model of this file; what the model was told."""
    path = tmp_path / "ready.py"
    path.write_text(WARM)

    def run(mux, between, infer, name="Ready"):
        sources = " ".join(
            f"videotestsrc num-buffers=3 ! video/x-raw,format=NV12,width=64,height=64 ! m.sink_{n}"
            for n in range(3)
        )
        pipeline = Gst.parse_launch(
            f"nvstreammux name=m {mux} ! {between} hrinfer name=i model={path}:{name} {infer} ! fakesink {sources}"
        )
        element = pipeline.get_by_name("i")
        try:
            pipeline.set_state(Gst.State.PLAYING)
            message = pipeline.get_bus().timed_pop_filtered(
                60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
            )
            assert message is not None
            if message.type == Gst.MessageType.ERROR:
                raise RuntimeError(message.parse_error()[0].message)
            return list(element.inference.slot.model.calls)
        finally:
            pipeline.set_state(Gst.State.NULL)

    return run


@pytest.mark.parametrize(
    ("mux", "between", "infer", "told"),
    [
        ("", "", "", (3, True)),
        ("batch-size=8", "queue ! tee ! queue ! nvtracker !", "", (8, True)),
        ("batch-size=8", "hrinfer process-mode=2 model={path}:Other !", "batch-size=4", (4, True)),
        ("", "identity !", "batch-size=4", (3, True)),
        ("", "", "process-mode=2", (16, False)),
        ("", "", "tile-size=32x32", (4, False)),
    ],
)
def test_the_model_is_told_the_size_of_batches_first(calls, tmp_path, mux, between, infer, told):
    found = calls(mux, between.format(path=tmp_path / "ready.py"), infer)
    assert found[0] == told
    assert [entry for entry in found if entry != "frames"] == [told]


def test_a_model_that_does_not_get_ready_ends_the_start(calls):
    with pytest.raises(RuntimeError, match="no room"):
        calls("", "", "", "Failing")
