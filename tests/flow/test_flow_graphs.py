"""Flow: what each method builds, element by element."""

import platform

import pytest
from graphs import count_anew, elements, links, path, register_stand_ins

from headrace.errors import PipelineError, SourceError
from headrace.flow import (
    BatchMetadataOperator,
    BufferProvider,
    BufferRetriever,
    Flow,
    MediaType,
    Pipeline,
    Probe,
    RecordConfig,
    RenderMode,
    SourceManager,
    StreamInfo,
)

SIM = "sim://plaza?frames=3&width=64&height=48"
WINDOW = "nv3dsink" if platform.processor() == "aarch64" else "nveglglessink"


@pytest.fixture(autouse=True)
def names(monkeypatch):
    register_stand_ins()
    count_anew(monkeypatch)


@pytest.fixture
def flow():
    return Flow(Pipeline("test"))


@pytest.fixture
def one(flow):
    """A flow with one batched source."""
    return flow.batch_capture([SIM])


@pytest.fixture
def two(flow):
    return flow.batch_capture([SIM, SIM])


def properties(flow, name, *wanted):
    return {key: flow.pipeline[name].get(key) for key in wanted}


def added(flow, before):
    """``[(name, factory)]`` of what came since."""
    return [item for item in elements(flow.pipeline).items() if item[0] not in before]


class Clip(BufferProvider):
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


RGB = {"format": "RGB", "width": 64, "height": 48, "framerate": 30}


def test_batch_capture_names_sources_and_muxer_in_one_count(two):
    assert elements(two.pipeline) == {
        "batch_capture-source-0_0": "nvurisrcbin",
        "batch_capture-source-0_1": "nvurisrcbin",
        "batch_capture-mux-1": "nvstreammux",
    }
    assert [str(stream) for stream in two.streams] == ["batch_capture-mux-1/src"]
    assert two.batch_size == 2


def test_the_count_goes_on_through_the_process():
    Flow(Pipeline("first")).batch_capture([SIM])
    second = Flow(Pipeline("second")).batch_capture([SIM])
    assert list(elements(second.pipeline)) == ["batch_capture-source-2_0", "batch_capture-mux-3"]


def test_the_muxers_defaults(one):
    wanted = {
        "width": 1920, "height": 1080, "batch-size": 1, "batched-push-timeout": 33000, "buffer-pool-size": 4,
        "drop-pipeline-eos": False, "live-source": False, "compute-hw": 1,
    }  # fmt: skip
    assert properties(one, "batch_capture-mux-1", *wanted) == wanted
    assert properties(one, "batch_capture-source-0_0", "file-loop") == {"file-loop": False}


def test_keywords_of_batch_capture_go_to_muxer_and_sources(flow):
    flow = flow.batch_capture(
        [SIM], width=640, height=360, batch_size=4, live_source=True, file_loop=True, gpu_id=1, latency=7
    )
    mux = {"width": 640, "height": 360, "batch-size": 4, "live-source": True, "gpu-id": 1}
    assert properties(flow, "batch_capture-mux-1", *mux) == mux
    source = {"file-loop": True, "gpu-id": 1, "latency": 100}  # latency is none of its keywords
    assert properties(flow, "batch_capture-source-0_0", *source) == source
    assert flow.batch_size == 4


def test_bare_paths_become_addresses(flow, tmp_path):
    clip = tmp_path / "a clip.mp4"
    clip.write_bytes(b"x")
    flow = flow.batch_capture([str(clip)])
    assert flow.pipeline["batch_capture-source-0_0"].get("uri") == clip.as_uri()


@pytest.mark.parametrize("method", ["capture", "batch_capture"])
def test_a_missing_file_is_named(flow, method):
    with pytest.raises(SourceError, match=r"File /nowhere/a\.mp4 doesn't exist"):
        getattr(flow, method)(["/nowhere/a.mp4"])


@pytest.mark.parametrize("input", [42, "clip.mp4", None, {"uri": SIM}])
def test_batch_capture_takes_lists_and_yaml_files(flow, input):
    with pytest.raises(TypeError, match="a list of addresses or a YAML file"):
        flow.batch_capture(input)


def test_sources_of_a_file_are_named_by_their_sensors(flow, tmp_path):
    file = tmp_path / "sources.yaml"
    file.write_text(f"""
source-list:
- {{uri: "{SIM}", sensor-id: gate, sensor-name: Gate}}
- {{uri: "{SIM}", sensor-id: yard, sensor-name: Yard}}
source-config: {{source-bin: nvurisrcbin, properties: {{file-loop: true, latency: 250}}}}
""")
    flow = flow.batch_capture(str(file))
    assert list(elements(flow.pipeline)) == ["gate", "yard", "batch_capture-mux-0"]
    assert properties(flow, "yard", "file-loop", "latency", "uri") == {
        "file-loop": True, "latency": 250, "uri": SIM,
    }  # fmt: skip


def test_one_element_for_many_sources(flow, tmp_path):
    file = tmp_path / "sources.yml"
    file.write_text("""
source-list:
- {uri: "rtsp://a/1", sensor-id: gate, sensor-name: Gate}
- {uri: "rtsp://b/2", sensor-id: yard, sensor-name: Yard}
source-config: {source-bin: nvmultiurisrcbin, properties: {port: 7000, max-batch-size: 16, width: 1280}}
""")
    flow = flow.batch_capture(file)
    wanted = {
        "uri-list": "rtsp://a/1,rtsp://b/2", "sensor-id-list": "gate,yard", "sensor-name-list": "Gate,Yard",
        "max-batch-size": 16, "width": 1280, "height": 1080, "port": "7000",
    }  # fmt: skip
    assert elements(flow.pipeline) == {"batch_capture-source-0": "nvmultiurisrcbin"}
    assert properties(flow, "batch_capture-source-0", *wanted) == wanted
    assert flow.batch_size == 16


def test_cameras_of_a_file(flow, tmp_path):
    file = tmp_path / "cameras.yaml"
    file.write_text("""
camera-list:
- {camera-type: V4L2, camera-width: 640, camera-height: 480, camera-fps-n: 30, camera-fps-d: 1, camera-v4l2-dev-node: 2}
- {camera-type: CSI, camera-width: 640, camera-height: 480, camera-fps-n: 30, camera-fps-d: 1, camera-csi-sensor-id: 0}
""")
    flow = flow.batch_capture(file)
    start = "batch_capture-source-0_0"
    assert flow.pipeline[start].get("device") == "/dev/video2"
    assert path(flow.pipeline, start) == [
        "v4l2src", "capsfilter", "videoconvert", "nvvideoconvert", "capsfilter", "nvstreammux",
    ]  # fmt: skip
    assert path(flow.pipeline, "batch_capture-source-0_1")[-3:] == [
        "nvvideoconvert",
        "capsfilter",
        "nvstreammux",
    ]
    assert flow.batch_size == 2


def test_recording_is_set_at_each_source(flow):
    flow = flow.batch_capture([SIM], record_config=RecordConfig(rec_cache=7, rec_dir_path="/tmp"))
    assert flow.pipeline["batch_capture-source-0_0"].get("smart-record") == 2


def test_capture_gives_a_stream_for_each_source(flow):
    flow = flow.capture([SIM, SIM], latency=9)
    assert [str(stream) for stream in flow.streams] == [
        "capture-source-0_0/vsrc_%u",
        "capture-source-0_1/vsrc_%u",
    ]
    assert flow.pipeline["capture-source-0_1"].get("latency") == 9
    assert flow.batch_size == 0


def test_capture_of_sound(flow):
    flow = flow.capture([SIM], media_types=[MediaType.VIDEO, MediaType.AUDIO])
    assert [(stream.template, stream.media_type) for stream in flow.streams] == [
        ("vsrc_%u", "video"), ("asrc_%u", "audio"),
    ]  # fmt: skip
    assert flow.pipeline["capture-source-0_0"].get("disable-audio") is False
    assert [stream.template for stream in flow.select(MediaType.AUDIO).streams] == ["asrc_%u"]
    assert [stream.template for stream in flow.select("video").streams] == ["vsrc_%u"]
    assert flow.select(originator="other").streams == []


def test_a_manager_feeds_one_source(flow):
    manager = SourceManager("files")
    flow = flow.capture(["rtsp://a/1", "rtsp://b/2"], source_manager=manager)
    assert elements(flow.pipeline) == {"capture-source-0": "nvdsdynamicsrcbin"}
    assert manager.add_source("rtsp://c/3") == 2


def test_batch_puts_streams_into_a_muxer(flow):
    flow = flow.capture([SIM, SIM]).batch(width=320, height=180)
    wanted = {"batch-size": 2, "width": 320, "height": 180}
    assert properties(flow, "batch-mux-0", *wanted) == wanted
    with pytest.raises(PipelineError, match="batched already"):
        flow.batch()


def test_decode(flow):
    flow.pipeline.add("filesrc", "file", {"location": "/nowhere.mp4"})
    flow = Flow(flow.pipeline, ["file"]).decode()
    assert elements(flow.pipeline) == {
        "file": "filesrc", "decode-decoder-0": "decodebin", "decode-converter-1": "nvvideoconvert",
    }  # fmt: skip


def test_infer_takes_the_file_and_the_flows_batch_size(two, tmp_path):
    config = tmp_path / "pgie.txt"
    config.write_text("[property]\n")
    flow = two.infer(str(config), unique_id=4)
    wanted = {"config-file-path": str(config), "batch-size": 2, "unique-id": 4}
    assert properties(flow, "infer-infer-0", *wanted) == wanted
    assert path(flow.pipeline, "batch_capture-mux-1") == ["nvstreammux", "nvinfer"]


def test_infer_without_its_file_has_properties_alone(one):
    flow = one.infer("/nowhere/pgie.txt", batch_size=8, model_engine_file="/m.onnx")
    wanted = {"config-file-path": "", "batch-size": 8, "model-engine-file": "/m.onnx"}
    assert properties(flow, "infer-infer-0", *wanted) == wanted


@pytest.mark.parametrize(
    ("with_triton", "media", "factory"),
    [(False, "video", "nvinfer"), (1, "video", "nvinferserver"), (False, "audio", "nvinferaudio")],
)
def test_which_element_infers(flow, with_triton, media, factory):
    flow.pipeline.add("identity", "start")
    flow = Flow(flow.pipeline, [StreamInfo("start", "", media)]).infer(
        "/nowhere.txt", with_triton=with_triton
    )
    assert elements(flow.pipeline)["infer-infer-0"] == factory


def test_track(one):
    flow = one.track(tracker_width=640)
    assert elements(flow.pipeline)["track-tracker-0"] == "nvtracker"
    assert flow.pipeline["track-tracker-0"].get("tracker-width") == 640


def test_analyze(one, tmp_path):
    config = tmp_path / "analytics.txt"
    config.write_text("[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\n")
    flow = one.analyze(config)
    assert flow.pipeline["analyze-analytics-0"].get("config-file") == str(config)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt"):
        one.analyze("/nowhere.txt")


def test_preprocess_has_a_queue_behind_it(one):
    flow = one.preprocess("/nowhere.txt", unique_id=3)
    assert path(flow.pipeline, "batch_capture-mux-1") == ["nvstreammux", "nvdspreprocess", "queue"]
    assert flow.pipeline["preprocess-preprocess-0"].get("target-unique-ids") == "1"


def test_apply(one):
    flow = one.apply(template_config="/c.txt", template_lib="/l.so")
    wanted = {"config-file": "/c.txt", "customlib-name": "/l.so"}
    assert properties(flow, "apply-template-0", *wanted) == wanted


def test_attach_keeps_the_streams(one):
    probe = Probe("watch", BatchMetadataOperator())
    flow = one.attach(what=probe).attach("measure_fps_probe", "fps", properties={"interval": 3})
    node = flow.pipeline["batch_capture-mux-1"]
    assert node.find("watch") is probe
    assert node.find("fps").operator.get_property("interval") == 3
    assert flow.streams == one.streams
    assert flow.batch_size == 1


def test_branches_of_a_fork_have_queues(one):
    flow = one.fork()
    flow.publish(topic="cars", msg_broker_conn_str="localhost;9092")
    flow.render(RenderMode.DISCARD)
    assert links(flow.pipeline)[-4:] == [
        ("fork-tee-0", "publish-queue-0"), ("fork-tee-0", "render-queue-0"),
        ("publish-queue-0", "publish-sink-1"), ("render-queue-0", "render-sink-1"),
    ]  # fmt: skip
    wanted = {"topic": "cars", "msg-broker-conn-str": "localhost;9092", "sync": False}
    assert properties(flow, "publish-sink-1", *wanted) == wanted


def test_ends_of_branches_may_be_called_in_a_row(one, tmp_path):
    flow = (
        one.fork().render(RenderMode.DISCARD).encode(tmp_path / "o.mp4").publish().retrieve(BufferRetriever())
    )
    assert [target for source, target in links(flow.pipeline) if source == "fork-tee-0"] == [
        "render-queue-0", "encode-queue-0", "publish-queue-0", "retrieve-queue-0",
    ]  # fmt: skip


def test_render_of_one_source(one):
    flow = one.render(sync=False)
    assert path(flow.pipeline, "batch_capture-mux-1") == ["nvstreammux", "nvvideoconvert", "nvdsosd", WINDOW]
    assert flow.pipeline["render-osd-1"].get("display-mask") is True
    assert flow.pipeline["render-sink-2"].get("sync") is False


def test_render_of_two_sources_is_tiled(two):
    flow = two.render(width=800, height=450)
    assert path(flow.pipeline, "batch_capture-mux-1") == [
        "nvstreammux", "nvvideoconvert", "nvmultistreamtiler", "nvdsosd", WINDOW,
    ]  # fmt: skip
    assert properties(flow, "render-tiler-1", "width", "height") == {"width": 800, "height": 450}


def test_render_with_masks_and_without_overlay(one):
    flow = one.render(enable_osd=False, seg_mask_config={"alpha": 0.25})
    assert path(flow.pipeline, "batch_capture-mux-1") == [
        "nvstreammux",
        "nvvideoconvert",
        "nvsegvisual",
        WINDOW,
    ]
    assert flow.pipeline["render-segvisual-1"].get("alpha") == pytest.approx(0.25)


def test_render_discard_is_a_fakesink_alone(two):
    flow = two.render(mode=RenderMode.DISCARD, enable_osd=False, sync=True)
    assert path(flow.pipeline, "batch_capture-mux-1") == ["nvstreammux", "fakesink"]
    assert flow.pipeline["render-sink-0"].get("sync") is True


@pytest.mark.parametrize("mount", ["cars", "/cars"])
def test_render_stream_serves(one, mount):
    flow = one.render(RenderMode.STREAM, rtsp_mount_point=mount, rtsp_port=9554, bitrate=5)
    assert path(flow.pipeline, "batch_capture-mux-1")[-2:] == ["nvdsosd", "nvrtspoutsinkbin"]
    wanted = {"rtsp-mount-point": "/cars", "rtsp-port": 9554, "bitrate": 5}
    assert properties(flow, "render-sink-2", *wanted) == wanted


def test_render_of_sound(flow):
    flow.pipeline.add("audiotestsrc", "start")
    flow = Flow(flow.pipeline, [StreamInfo("start", "", "audio")]).fork()
    flow.render(audio_sink="fakesink", sync=True)
    assert path(flow.pipeline, "render-queue-0") == ["queue", "audioconvert", "audioresample", "fakesink"]


def test_sound_is_served(flow):
    flow.pipeline.add("audiotestsrc", "start")
    Flow(flow.pipeline, [StreamInfo("start", "", "audio")]).render(RenderMode.STREAM, rtsp_mount_point="song")
    assert path(flow.pipeline, "start") == [
        "audiotestsrc",
        "audioconvert",
        "audioresample",
        "nvrtspoutsinkbin",
    ]


PICTURE = ["nvstreammux", "nvvideoconvert", "nvdsosd", "nvvideoconvert", "capsfilter"]


@pytest.mark.parametrize(
    ("dest", "options", "tail"),
    [
        ("o.mp4", {}, ["nvv4l2h264enc", "h264parse", "mp4mux", "filesink"]),
        ("o.mov", {"codec_type": "h265"}, ["nvv4l2h265enc", "h265parse", "qtmux", "filesink"]),
        ("o.mp4", {"use_sw_codec": 1}, ["x264enc", "capsfilter", "h264parse", "mp4mux", "filesink"]),
        (
            "o.mp4",
            {"use_sw_codec": True, "codec_type": "h265"},
            ["x265enc", "h265parse", "mp4mux", "filesink"],
        ),
        ("o.mp4", {"use_sw_codec": True, "codec_type": "av1"}, ["av1enc", "av1parse", "mp4mux", "filesink"]),
        ("o.jpg", {}, ["jpegenc", "multifilesink"]),
        ("o.mjpg", {}, ["jpegenc", "filesink"]),
        ("udp://127.0.0.1:5400", {}, ["nvv4l2h264enc", "h264parse", "rtph264pay", "udpsink"]),
        ("rtsp://localhost:18554", {}, ["nvv4l2h264enc", "h264parse", "rtph264pay", "udpsink"]),
    ],
)
def test_where_encode_goes(one, tmp_path, dest, options, tail):
    flow = one.encode(dest if "://" in dest else tmp_path / dest, **options)
    assert path(flow.pipeline, "batch_capture-mux-1") == PICTURE + tail
    flow.pipeline._free()


def test_what_encode_sets(one, tmp_path):
    hardware = one.encode(tmp_path / "o.mp4", bitrate=500_000, profile=4, iframeinterval=30, sync=True)
    encoder = {"bitrate": 500_000, "profile": 4, "iframeinterval": 30}
    assert properties(hardware, "encode-encoder-4", *encoder) == encoder
    sink = {"location": str(tmp_path / "o.mp4"), "sync": True}
    assert properties(hardware, "encode-sink-7", *sink) == sink


def test_what_encode_sets_without_hardware(one, tmp_path):
    flow = one.encode(
        tmp_path / "o.mp4", use_sw_codec=True, enable_osd=False, bitrate=500_000, iframeinterval=30
    )
    encoder = {"bitrate": 500, "key-int-max": 30}
    assert properties(flow, "encode-encoder-3", *encoder) == encoder


@pytest.mark.parametrize(
    "dest", ["out.avi", "udp://10.0.0.1:5000", "rtsp://localhost", "http://localhost:80", "o.wav"]
)
def test_encode_names_what_it_can_write(one, dest):
    with pytest.raises(TypeError, match=r"udp://localhost:port or rtsp://localhost:port"):
        one.encode(dest)


def test_encode_names_its_options(one):
    with pytest.raises(TypeError, match="no option quality; options: codec_type, bitrate"):
        one.encode("o.mp4", quality=3)
    with pytest.raises(TypeError, match="codec_type is h264, h265, av1, not 'vp9'"):
        one.encode("o.mp4", codec_type="vp9")


def test_sound_is_encoded_into_wav_files(flow, tmp_path):
    flow.pipeline.add("audiotestsrc", "start", {"num-buffers": 2})
    flow = Flow(flow.pipeline, [StreamInfo("start", "", "audio")])
    flow.encode(tmp_path / "o.wav")
    assert path(flow.pipeline, "start")[1:] == ["audioconvert", "audioresample", "wavenc", "filesink"]
    with pytest.raises(TypeError, match=r"\.wav"):
        flow.encode(tmp_path / "o.mp4")


def test_retrieve(one):
    flow = one.retrieve(BufferRetriever(), max_buffers=2)
    assert path(flow.pipeline, "batch_capture-mux-1") == [
        "nvstreammux",
        "nvvideoconvert",
        "capsfilter",
        "appsink",
    ]
    wanted = {"emit-signals": True, "sync": False, "max-buffers": 2}
    assert properties(flow, "retrieve-sink-2", *wanted) == wanted


def test_retrieve_wants_one_stream(flow):
    with pytest.raises(PipelineError, match="Upstream error: multiple streams must be batched"):
        flow.capture([SIM, SIM]).retrieve(BufferRetriever())


@pytest.mark.parametrize(
    ("attributes", "caps", "tail"),
    [
        ({**RGB, "device": "gpu"}, "video/x-raw(memory:NVMM), format=(string)RGB", ["nvvideoconvert", "capsfilter"]),
        ({**RGB, "format": "I420"}, "video/x-raw, format=(string)I420", ["nvvideoconvert", "capsfilter"]),
        ({**RGB, "format": "JPEG"}, "image/jpeg", ["jpegdec", "videoconvert", "nvvideoconvert", "capsfilter"]),
        ({**RGB, "format": "PNG"}, "image/png", ["pngdec", "videoconvert", "nvvideoconvert", "capsfilter"]),
        ({"format": "S16LE", "rate": 44100, "num_channels": 2}, "audio/x-raw", ["audioconvert"]),
    ],
)  # fmt: skip
def test_inject_says_what_a_provider_makes(flow, attributes, caps, tail):
    flow = flow.inject([Clip(**attributes)], max_bytes=5)
    source = flow.pipeline["inject-source-0"].element
    assert source.get_property("caps").to_string().startswith(caps)
    assert source.get_property("max-bytes") == 5
    assert path(flow.pipeline, "inject-source-0") == ["appsrc", *tail]


@pytest.mark.parametrize(
    ("rate", "text"), [(25, "25/1"), (29.97, "2997/100"), ((15, 2), "15/2"), ("5/1", "5/1")]
)
def test_frame_rates_of_providers(flow, rate, text):
    flow = flow.inject([Clip(**{**RGB, "framerate": rate})])
    assert (
        f"framerate=(fraction){text}"
        in flow.pipeline["inject-source-0"].element.get_property("caps").to_string()
    )


def test_inject_says_what_a_provider_lacks(flow):
    with pytest.raises(ValueError, match="Clip must say what it makes: set its attribute width"):
        flow.inject([Clip(format="RGB")])


def test_a_flow_without_streams_says_so(flow):
    with pytest.raises(PipelineError, match="no stream for render; begin with batch_capture"):
        flow.render()


def test_programs_may_add_methods_and_streams(one, monkeypatch):
    def link_elements(self, factories):
        for factory in factories:
            self._pipeline.add(factory, f"mine-{factory}")
            last = self._streams[0]
            self._pipeline.link(last.originator if hasattr(last, "originator") else last, f"mine-{factory}")
            self._streams = [f"mine-{factory}"]
        return Flow(self._pipeline, streams=[f"mine-{factory}"], parent=self)

    monkeypatch.setattr(Flow, "link_elements", link_elements, raising=False)
    flow = one.link_elements(["nvvideoconvert", "nvdsosd"])
    flow.pipeline[flow._streams[0]].set({"display-text": False})
    flow = flow.fork().render(RenderMode.DISCARD)
    assert path(flow.pipeline, "mine-nvdsosd") == ["nvdsosd", "tee", "queue", "fakesink"]
    assert flow.batch_size == 1
