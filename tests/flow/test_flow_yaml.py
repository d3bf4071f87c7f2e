"""Pipelines from YAML files."""

from typing import ClassVar

import pytest
from flows import play

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, ServiceMakerPipeline, SignalHandler, register_probe

GOOD = """
my-deepstream-app:
  nodes:
  - {type: hrsimsrc, name: src0, properties: {scene: "sim://plaza?frames=4&width=64&height=48"}}
  - {type: hrsimsrc, name: src1, properties: {scene: "sim://plaza?frames=4&width=64&height=48"}}
  - type: nvstreammux
    name: mux
    properties:
      batch-size: 2
      batched-push-timeout: -1
      no-such-property: 4
  - {type: nvdsosd, name: osd, enable: false, properties: {display-clock: 1}}
  - {type: tee, name: tee}
  - {type: queue, name: q1, properties: {leaky: downstream, max-size-time: 0}}
  - {type: queue, name: q2}
  - {type: fakesink, name: sink1, properties: {sync: no, async: "false"}}
  - {type: fakesink, name: sink2, properties: {sync: 0}}
  - {type: measure_fps_probe.measure_fps_probe, name: fps, properties: {interval: 1}}
  - {type: sample_video_probe.sample_video_probe, name: unused, properties: {font-size: 15}}
  - {type: python.test-frame-count, name: counter, properties: {from: 2, tag: 0700}}
  edges:
    src0: mux
    src1: mux
    mux.src: [osd, counter]
    osd: [tee, fps]
    tee: [q1, q2]
    q1: sink1
    q2: sink2.sink
"""


class FrameCount(BatchMetadataOperator):
    seen: ClassVar = []

    def handle_metadata(self, batch_meta):
        self.seen.append((batch_meta.n_frames, self.get_property("from"), self.get_property("tag")))


def write(folder, text):
    path = folder / "pipeline.yaml"
    path.write_text(text)
    return path


def test_nodes_edges_probes_and_values(tmp_path, capfd):
    FrameCount.seen.clear()
    register_probe("test-frame-count", FrameCount, {"from": ("integer", 0), "tag": ("string", "")})
    pipeline = ServiceMakerPipeline("p", str(write(tmp_path, GOOD)))
    assert pipeline["mux"].get("batch-size") == 2
    assert pipeline["osd"].element.get_factory().get_name() == "identity"
    assert (pipeline["sink1"].get("sync"), pipeline["sink1"].get("async")) == (False, False)
    assert (pipeline["q1"].get("leaky"), pipeline["q1"].get("max-size-time")) == (2, 0)
    assert pipeline["osd"].find("fps").operator.get_property("interval") == 1
    assert all(pipeline[name].find("unused") is None for name in ("mux", "osd", "tee"))
    play(pipeline)
    assert FrameCount.seen == [(2, 2, "0700")] * 4
    assert "Property no-such-property is not supported by object mux" in capfd.readouterr().out


def test_the_keyword_is_part_of_the_contract(tmp_path):
    text = GOOD.replace("python.test-frame-count", "x.kitti_dump_probe")
    pipeline = Pipeline(name="p", config_file=write(tmp_path, text))
    assert pipeline["sink1"].name == "sink1"


NODES = "deepstream:\n  nodes:\n  - {type: videotestsrc, name: source}\n  - {type: fakesink, name: sink}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deepstream: [", ["is not YAML", "line 1"]),
        ("pipeline:\n  nodes: []", ["a top-level key 'deepstream'", "found pipeline"]),
        ("just text", ["a top-level key 'deepstream'"]),
        ("deepstream:\n  nodes: 4", ["nodes: a list"]),
        ("deepstream: {}", ["nodes: a list"]),
        ("deepstream:\n  nodes:\n  - {type: fakesink}", ["node 0", "type and name expected"]),
        (
            "deepstream:\n  nodes:\n  - {type: fakesnk, name: a}",
            ["Element creation failed", "'fakesnk'", "did you mean 'fakesink'?", "node 'a'"],
        ),
        (NODES + "  - {type: queue, name: sink}", ["the name 'sink' is taken", "node 'sink'"]),
        (NODES + "  - {type: queue, name: q, properties: [1]}", ["node 'q'", "properties"]),
        (
            NODES + "  - {type: queue, name: q, properties: {max-size-buffers: many}}",
            [
                "property 'max-size-buffers' of 'q' takes a whole number, 0 to 4294967295, not 'many'",
                "node 'q'",
            ],
        ),
        (NODES + "  - {type: nope.nope, name: p}", ["there is no built-in object 'nope'", "node 'p'"]),
        (NODES + "  - {type: python.nope, name: p}", ["no probe 'nope' is registered", "node 'p'"]),
        (NODES + "  edges: {source: snk}", ["edge source: snk", "snk Not found; did you mean 'sink'?"]),
        (
            NODES + "  edges: {source: sink.snk}",
            ["sink has no sink pad 'snk', but sink", "edge source: sink.snk"],
        ),
        (NODES + "  edges: [source, sink]", ["edges", "source: target"]),
        (NODES + "  edges: {sink: source}", ["Elements linking  failed", "edge sink: source"]),
        (NODES + "  - {type: lidar_feeder.lidar_feeder, name: l}", ["3D lidar", "node 'l'"]),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises(RuntimeError) as caught:
        Pipeline("p", path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(PipelineError, match="cannot be read"):
        Pipeline("p", str(tmp_path / "none.yaml"))


def test_programs_of_pyservicemaker_are_told_of_edges_to_unknown_names(tmp_path, capfd):
    text = NODES + "  edges:\n    source: [sonk, sink]\n    nobody: sink\n"
    pipeline = ServiceMakerPipeline("p", write(tmp_path, text))
    out = capfd.readouterr().out
    assert "sonk Not found; did you mean 'sink'?" in out
    assert "nobody Not found" in out
    assert pipeline["sink"].element.get_static_pad("sink").is_linked()


def test_edges_may_stand_beside_the_nodes_key(tmp_path):
    pipeline = Pipeline("p", write(tmp_path, NODES + "edges: {source: sink}\n"))
    assert pipeline["sink"].element.get_static_pad("sink").is_linked()


def test_signals_and_handlers(tmp_path, monkeypatch):
    from headrace.flow import CommonFactory

    class Pads(SignalHandler):
        seen: ClassVar = []

        def handlers(self):
            return {"pad-added": self.added}

        def added(self, element, pad):
            self.seen.append(pad.get_name())

    create = CommonFactory.create
    made = {"test.pads": Pads}
    monkeypatch.setattr(
        CommonFactory,
        "create",
        staticmethod(lambda kind, name: made.get(kind, lambda n: create(kind, n))(name)),
    )
    text = NODES + "  - {type: tee, name: tee}\n  - {type: test.pads, name: pads}\n"
    Pipeline(
        "p", write(tmp_path, text + "  edges:\n    tee.pad-added: pads\n    source: tee\n    tee: sink\n")
    )
    assert "src_0" in Pads.seen
