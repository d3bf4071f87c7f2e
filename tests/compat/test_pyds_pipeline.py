"""pyds in pipelines: pad probes in the documented idiom."""

import gc
import json

import cv2
import pytest
from gi.repository import Gst

from headrace.compat import pyds

SIZE = "! video/x-raw,width=320,height=240"

MODEL = """
from headrace import Detections, Detector

class Model(Detector):
    labels = ("car", "person")
    def infer(self, frames):
        return [Detections([[10, 20, 60, 90], [100, 40, 140, 120]], [0.5, 0.75], [0, 1]) for _ in range(len(frames))]
"""


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    return f"{tmp_path}/model.py:Model"


class Played:
    """A pipeline from a description; its probes' errors are raised when it has ended."""

    def __init__(self, line):
        self.pipeline = Gst.parse_launch(line)
        self.errors = []

    def probe(self, element, pad, function):
        def call(_pad, info):
            try:
                function(info.get_buffer())
            except Exception as error:  # noqa: BLE001 - raised when the pipeline has ended
                self.errors.append(error)
            return Gst.PadProbeReturn.OK

        self.pipeline.get_by_name(element).get_static_pad(pad).add_probe(Gst.PadProbeType.BUFFER, call)

    def play(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        wanted = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = self.pipeline.get_bus().timed_pop_filtered(120 * Gst.SECOND, wanted)
        self.pipeline.set_state(Gst.State.NULL)
        assert message is not None, "the pipeline hangs"
        if message.type == Gst.MessageType.ERROR:
            raise AssertionError(message.parse_error())
        if self.errors:
            raise self.errors[0]


def frames_of(buffer):
    batch = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
    node = batch.frame_meta_list
    while node is not None:
        yield batch, pyds.NvDsFrameMeta.cast(node.data)
        node = node.next


def test_objects_are_counted_and_texts_drawn(model):
    plain, seen, drawn = [], [], []
    played = Played(
        f"videotestsrc num-buffers=4 {SIZE},format=I420 ! m.sink_0 nvstreammux name=m batch-size=1 "
        f"! hrinfer model={model} ! nvvideoconvert ! video/x-raw(memory:NVMM),format=RGBA ! nvdsosd name=osd ! "
        "fakesink name=sink"
    )

    def count(buffer):
        for batch, frame in frames_of(buffer):
            plain.append(pyds.get_nvds_buf_surface(hash(buffer), frame.batch_id).copy())
            classes, node = [], frame.obj_meta_list
            while node is not None:
                obj = pyds.NvDsObjectMeta.cast(node.data)
                obj.rect_params.border_color.set(0.0, 0.0, 1.0, 1.0)
                classes.append(obj.obj_label)
                node = node.next
            seen.append((frame.frame_num, frame.num_obj_meta, classes))
            display = pyds.nvds_acquire_display_meta_from_pool(batch)
            display.num_labels = 1
            text = display.text_params[0]
            text.display_text = f"Frame={frame.frame_num}"
            text.x_offset, text.y_offset = 150, 150
            text.font_params.font_name, text.font_params.font_size = "Serif", 20
            text.font_params.font_color.set(1.0, 1.0, 1.0, 1.0)
            text.set_bg_clr = 1
            text.text_bg_clr.set(0.0, 1.0, 0.0, 1.0)
            assert pyds.get_string(text.display_text) == f"Frame={frame.frame_num}"
            pyds.nvds_add_display_meta_to_frame(frame, display)

    def look(buffer):
        for _, frame in frames_of(buffer):
            drawn.append(pyds.get_nvds_buf_surface(hash(buffer), frame.batch_id).copy())
            pyds.unmap_nvds_buf_surface(hash(buffer), frame.batch_id)

    played.probe("osd", "sink", count)
    played.probe("sink", "sink", look)
    played.play()
    assert seen == [(n, 2, ["car", "person"]) for n in range(4)]
    assert drawn[0].shape == (240, 320, 4)
    assert drawn[0][55, 10, :3].tolist() == [0, 0, 255]
    changed = (drawn[0][150:175, 150:250] != plain[0][150:175, 150:250]).any(axis=2)
    assert changed.mean() > 0.5


def test_writes_are_seen_behind_tiler_and_converter(model):
    seen = []
    played = Played(
        "nvstreammux name=m batch-size=2 ! nvvideoconvert name=first ! video/x-raw(memory:NVMM),format=RGBA ! "
        "nvmultistreamtiler name=tiler rows=1 columns=2 width=640 height=240 ! nvvideoconvert ! "
        "video/x-raw(memory:NVMM),format=RGBA ! fakesink name=sink "
        f"videotestsrc num-buffers=3 {SIZE} ! m.sink_0 videotestsrc num-buffers=3 {SIZE} ! m.sink_1"
    )

    def paint(buffer):
        for _, frame in frames_of(buffer):
            pixels = pyds.get_nvds_buf_surface(hash(buffer), frame.batch_id)
            pixels[:] = (10 + 100 * frame.pad_index, 20, 30, 255)

    def look(buffer):
        frame = next(frames_of(buffer))[1]
        seen.append(pyds.get_nvds_buf_surface(hash(buffer), frame.batch_id)[120, [100, 500]].tolist())

    played.probe("tiler", "sink", paint)
    played.probe("sink", "sink", look)
    played.play()
    assert seen[-1] == [[10, 20, 30, 255], [110, 20, 30, 255]]


def test_other_formats_and_places_are_errors():
    played = Played(
        f"nvstreammux name=m batch-size=1 ! fakesink name=sink videotestsrc num-buffers=1 {SIZE},format=NV12 ! "
        "identity name=before ! m.sink_0"
    )
    told = []

    def before(buffer):
        assert pyds.gst_buffer_get_nvds_batch_meta(hash(buffer)) is None

    def look(buffer):
        for function, place in (
            (pyds.get_nvds_buf_surface, 0), (pyds.get_nvds_buf_surface, 7), (pyds.get_nvds_buf_surface_gpu, 0),
        ):  # fmt: skip
            with pytest.raises(RuntimeError) as caught:
                function(hash(buffer), place)
            told.append(str(caught.value))
        assert pyds.nvds_measure_buffer_latency(hash(buffer)) == 0

    played.probe("before", "sink", before)
    played.probe("sink", "sink", look)
    played.play()
    assert "format=RGBA" in told[0]
    assert "no frame 7" in told[1]
    assert "host memory" in told[2]


def test_user_data_goes_with_both_branches_of_a_tee():
    copies, released, read = [], [], []
    played = Played(
        "nvstreammux name=m batch-size=1 ! identity name=begin ! tee name=t t. ! queue ! nvdsosd ! fakesink name=a "
        f"t. ! queue ! nvdsosd ! fakesink name=b videotestsrc num-buffers=3 {SIZE} ! m.sink_0"
    )

    def copied(data, _):
        source = pyds.CustomDataStruct.cast(pyds.NvDsUserMeta.cast(data).user_meta_data)
        twin = pyds.CustomDataStruct.cast(pyds.memdup(pyds.get_ptr(source), 24))
        copies.append(source.structId)
        return twin

    def release(data, _):
        released.append(pyds.CustomDataStruct.cast(pyds.NvDsUserMeta.cast(data).user_meta_data).structId)

    def begin(buffer):
        for batch, frame in frames_of(buffer):
            user = pyds.nvds_acquire_user_meta_from_pool(batch)
            data = pyds.alloc_custom_struct(user)
            data.structId, data.message = frame.frame_num, f"frame {frame.frame_num}"
            user.user_meta_data = data
            user.base_meta.meta_type = pyds.NvDsMetaType.NVDS_USER_META
            pyds.user_copyfunc(user, copied)
            pyds.user_releasefunc(user, release)
            pyds.nvds_add_user_meta_to_frame(frame, user)

    def look(buffer):
        for _, frame in frames_of(buffer):
            user = pyds.NvDsUserMeta.cast(frame.frame_user_meta_list.data)
            read.append(pyds.get_string(pyds.CustomDataStruct.cast(user.user_meta_data).message))

    played.probe("begin", "sink", begin)
    played.probe("a", "sink", look)
    played.probe("b", "sink", look)
    played.play()
    del played
    gc.collect()
    assert sorted(read) == sorted(2 * [f"frame {n}" for n in range(3)])
    assert copies
    assert len(released) == 3 + len(copies)
    pyds.unset_callback_funcs()


def test_events_are_sent(model, tmp_path):
    played = Played(
        f"nvstreammux name=m batch-size=1 ! hrinfer model={model} ! identity name=begin ! nvmsgconv payload-type=1 "
        f"debug-payload-dir={tmp_path} ! fakesink videotestsrc num-buffers=2 {SIZE} ! m.sink_0"
    )

    def begin(buffer):
        for batch, frame in frames_of(buffer):
            user = pyds.nvds_acquire_user_meta_from_pool(batch)
            event = pyds.alloc_nvds_event_msg_meta(user)
            event.frameId, event.trackingId, event.sensorStr = frame.frame_num, 40 + frame.frame_num, "gate"
            event.objType = pyds.NvDsObjectType.NVDS_OBJECT_TYPE_PERSON
            event.objectId = "walker"
            event.ts = pyds.alloc_buffer(33)
            pyds.generate_ts_rfc3339(event.ts, 33)
            user.user_meta_data = event
            user.base_meta.meta_type = pyds.NvDsMetaType.NVDS_EVENT_MSG_META
            pyds.nvds_add_user_meta_to_frame(frame, user)

    played.probe("begin", "sink", begin)
    played.play()
    payloads = sorted(tmp_path.glob("payload-*.json"))
    assert len(payloads) == 2
    assert "41" in payloads[1].read_text()
    assert json.loads(payloads[0].read_text())["@timestamp"].endswith("Z")


def test_crops_are_encoded(model, tmp_path):
    sizes = []
    context = pyds.nvds_obj_enc_create_context(0)
    played = Played(
        f"nvstreammux name=m batch-size=1 ! hrinfer model={model} ! fakesink name=sink "
        f"videotestsrc num-buffers=1 {SIZE} ! m.sink_0"
    )

    def encode(buffer):
        for _, frame in frames_of(buffer):
            obj = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
            args = pyds.NvDsObjEncUsrArgs()
            args.saveImg = args.attachUsrMeta = args.scaleImg = True
            args.scaledWidth, args.scaledHeight, args.quality = 30, 40, 90
            args.fileNameImg = str(tmp_path / "crop.jpg")
            assert pyds.nvds_obj_enc_process(context, args, hash(buffer), obj, frame)
            pyds.nvds_obj_enc_finish(context)
            user = pyds.NvDsUserMeta.cast(obj.obj_user_meta_list.data)
            assert user.base_meta.meta_type == pyds.NvDsMetaType.NVDS_CROP_IMAGE_META
            jpeg = pyds.NvDsObjEncOutParams.cast(user.user_meta_data).outBuffer()
            sizes.append(cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape)

    played.probe("sink", "sink", encode)
    played.play()
    assert sizes == [(40, 30, 3)]
    assert cv2.imread(str(tmp_path / "crop.jpg")).shape == (40, 30, 3)
    pyds.nvds_obj_enc_destroy_context(context)
    with pytest.raises(ValueError, match="nothing lives"):
        pyds.nvds_obj_enc_finish(context)


def test_events_for_elements():
    source = Gst.ElementFactory.make("fakesrc")
    pyds.configure_source_for_ntp_sync(hash(source))
    assert pyds.gst_element_send_nvevent_interval_update(hash(source), "0", 2) in (True, False)
    assert pyds.gst_element_send_nvevent_new_stream_reset(hash(source), 0) in (True, False)
    camera = Gst.ElementFactory.make("rtspsrc")
    pyds.configure_source_for_ntp_sync(hash(camera))
    if camera.find_property("add-reference-timestamp-meta"):  # since GStreamer 1.22
        assert camera.get_property("add-reference-timestamp-meta")
    buffer = Gst.Buffer.new()
    with pytest.raises(ValueError, match="no GstElement"):
        pyds.configure_source_for_ntp_sync(hash(buffer))
