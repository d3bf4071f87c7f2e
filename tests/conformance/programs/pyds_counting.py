"""Counts what a detector and a tracker find, writes the count onto the picture, and looks at it behind the overlay.

Usage: pyds_counting.py FILE.h264 CONFIG TRACKER_LIBRARY
"""

import sys
from itertools import pairwise

import gi
import pyds

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


def nodes(node, kind):
    """What the nodes of a list hold."""
    while node is not None:
        try:
            yield kind.cast(node.data)
            node = node.next
        except StopIteration:
            break


def count(pad, info):
    buffer = info.get_buffer()
    batch = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
    for frame in nodes(batch.frame_meta_list, pyds.NvDsFrameMeta):
        objects = list(nodes(frame.obj_meta_list, pyds.NvDsObjectMeta))
        assert len(objects) == frame.num_obj_meta
        for found in objects:
            found.rect_params.border_color.set(0.0, 0.0, 1.0, 1.0)
        display = pyds.nvds_acquire_display_meta_from_pool(batch)
        display.num_labels = 1
        text = display.text_params[0]
        text.display_text = f"frame {frame.frame_num} objects {frame.num_obj_meta}"
        text.x_offset, text.y_offset, text.set_bg_clr = 10, 12, 1
        text.font_params.font_name, text.font_params.font_size = "Serif", 10
        text.font_params.font_color.set(1.0, 1.0, 1.0, 1.0)
        text.text_bg_clr.set(0.0, 0.0, 0.0, 1.0)
        pyds.nvds_add_display_meta_to_frame(frame, display)
        tracked = sum(found.object_id != 0xFFFFFFFFFFFFFFFF for found in objects)
        print(pyds.get_string(text.display_text), "tracked", tracked, flush=True)
    return Gst.PadProbeReturn.OK


def look(pad, info):
    buffer = info.get_buffer()
    batch = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
    for frame in nodes(batch.frame_meta_list, pyds.NvDsFrameMeta):
        picture = pyds.get_nvds_buf_surface(hash(buffer), frame.batch_id)
        blue = (picture[..., :3] == (0, 0, 255)).all(axis=2).sum()
        print("picture", frame.frame_num, picture.shape, "blue" if blue > 100 else "plain", flush=True)
        pyds.unmap_nvds_buf_surface(hash(buffer), frame.batch_id)
    return Gst.PadProbeReturn.OK


def ended(bus, message, loop):
    if message.type == Gst.MessageType.ERROR:
        print("ERROR", *message.parse_error())
    if message.type in (Gst.MessageType.EOS, Gst.MessageType.ERROR):
        loop.quit()
    return True


def main(file, config, library):
    Gst.init(None)
    pipeline = Gst.Pipeline()

    def make(factory, **properties):
        element = Gst.ElementFactory.make(factory, factory)
        for name, value in properties.items():
            element.set_property(name.replace("_", "-"), value)
        pipeline.add(element)
        return element

    source, parser, decoder = make("filesrc", location=file), make("h264parse"), make("nvv4l2decoder")
    mux = make("nvstreammux", batch_size=1, width=1280, height=720, batched_push_timeout=4000000)
    caps = Gst.Caps.from_string("video/x-raw(memory:NVMM), format=RGBA")
    osd, sink = make("nvdsosd"), make("fakesink", sync=0)
    chain = [
        mux, make("nvinfer", config_file_path=config), make("nvtracker", ll_lib_file=library),
        make("nvvideoconvert"), make("capsfilter", caps=caps), osd, sink,
    ]  # fmt: skip
    source.link(parser)
    parser.link(decoder)
    decoder.get_static_pad("src").link(mux.request_pad_simple("sink_0"))
    for first, second in pairwise(chain):
        first.link(second)
    osd.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, count)
    sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, look)
    loop = GLib.MainLoop()
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", ended, loop)
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    pipeline.set_state(Gst.State.NULL)


main(*sys.argv[1:])
