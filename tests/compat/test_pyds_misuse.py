"""pyds handled wrongly: an exception at most, never the end of the interpreter."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
from headrace.compat import pyds

refused = []

def attempt(what, *arguments):
    try:
        return what(*arguments)
    except (AttributeError, IndexError, RuntimeError, TypeError, ValueError, StopIteration) as error:
        refused.append(str(error))

def handles(buffer):
    batch = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
    return batch, pyds.NvDsFrameMeta.cast(batch.frame_meta_list.data)

def add(batch, frame):
    one = pyds.nvds_acquire_obj_meta_from_pool(batch)
    pyds.nvds_add_obj_meta_to_frame(frame, one, None)
    return one

kept = []

def stale(buffer):
    batch, frame = handles(buffer)
    add(batch, frame)
    kept.append((batch, frame, frame.obj_meta_list))

def stale_after():
    gc.collect()
    for batch, frame, objects in kept:
        attempt(add, batch, frame)
        for read in (lambda: frame.frame_num, lambda: objects.data.class_id, lambda: objects.next):
            attempt(read)

def cast(buffer):
    batch, frame = handles(buffer)
    for kind in ("NvDsObjectMeta", "NvDsFrameMeta", "NvDsUserMeta", "NvDsInferTensorMeta"):
        for thing in (None, 0, -1, 12345, 2**70, 3.5, "text", object(), buffer, batch, frame):
            attempt(lambda: getattr(pyds, kind).cast(thing).base_meta)

def addresses(buffer):
    for number in (0, 1, -1, 12345, 2**63, 2**70, None, "text", 3.5):
        for function in (
            pyds.gst_buffer_get_nvds_batch_meta, pyds.get_string, pyds.get_ptr, pyds.free_buffer,
            lambda n: pyds.get_nvds_buf_surface(n, 0), lambda n: pyds.memdup(n, 8), lambda n: pyds.strdup(n),
        ):
            attempt(function, number)
    for index in (-1, 99):
        attempt(pyds.get_nvds_buf_surface, hash(buffer), index)

def lists(buffer):
    batch, frame = handles(buffer)
    for _ in range(5):
        add(batch, frame)
    node, seen = frame.obj_meta_list, 0
    while node is not None and seen < 50:
        seen += 1
        pyds.nvds_remove_obj_meta_from_frame(frame, pyds.NvDsObjectMeta.cast(node.data))
        if seen < 4:
            add(batch, frame)
        try:
            node = node.next
        except StopIteration:
            break
    assert seen < 20, "the list has no end"
    one = add(batch, frame)
    pyds.nvds_remove_obj_meta_from_frame(frame, one)
    attempt(pyds.nvds_remove_obj_meta_from_frame, frame, one)
    pyds.nvds_remove_frame_meta_from_batch(batch, frame)
    attempt(lambda: frame.frame_num)

def probe(pad, info):
    globals()[sys.argv[1]](info.get_buffer())
    return Gst.PadProbeReturn.OK

pipeline = Gst.parse_launch(
    "videotestsrc num-buffers=3 ! video/x-raw,format=RGBA,width=64,height=48 ! m.sink_0 "
    "nvstreammux name=m batch-size=1 ! identity name=i ! nvdsosd ! fakesink"
)
pipeline.get_by_name("i").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, probe)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(120 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
pipeline.set_state(Gst.State.NULL)
globals().get(sys.argv[1] + "_after", int)()
print(message.type == Gst.MessageType.EOS, len(refused))
"""


@pytest.mark.parametrize(("what", "least"), [("stale", 0), ("cast", 100), ("addresses", 100), ("lists", 2)])
def test_the_interpreter_lives_on(what, least):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, what], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    ended, refused = done.stdout.split()
    assert ended == "True"
    assert int(refused) >= least
