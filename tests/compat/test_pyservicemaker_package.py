"""The package pyservicemaker: every import that programs write, in a process of its own."""

import os
import subprocess
import sys

import headrace
from headrace import compat


def run(code, **environment):
    """Run code with the package in the path; returns its output."""
    paths = [str(compat.PATH), os.path.dirname(os.path.dirname(headrace.__file__))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=150, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


NAMES = (
    "Pipeline, Flow, MediaType, RenderMode, SourceConfig, SensorInfo, RecordConfig, Probe, PipelineState, "
    "StateTransitionMessage, DynamicSourceMessage, EOSMessage, ColorFormat, Buffer, Receiver, Feeder, "
    "BufferRetriever, BufferProvider, BufferObserver, BufferOperator, BatchMetadataOperator, CommonFactory, "
    "as_tensor, osd, utils, signal, probe, register_probe"
)

METADATA = (
    "AudioFrameMetadata, ClassifierMetadata, DisplayMetadata, EventMessageUserMetadata, LabelInfo, UserMetadata, "
    "ObjectReidUserMetadata, PreprocessBatchUserMetadata, RoiMetadata, SegmentationUserMetadata, "
    "TensorOutputUserMetadata, TrackerPastFrameUserMetadata, ObjectVisibilityUserMetadata, AnalyticsFrameMeta"
)


LINES = (
    f"from pyservicemaker._pydeepstream import {METADATA}",
    f"from _pydeepstream import {METADATA}",
    f"from pyservicemaker import {NAMES}",
    f"from _pydeepstream import {NAMES}",
    f"from pyservicemaker._pydeepstream import {NAMES}",
    "from pyservicemaker.flow import Flow, RenderMode, MediaType, StreamInfo",
    "from pyservicemaker.logging import get_logger",
    "from pyservicemaker.postprocessing import PostProcessing, ObjectDetectorOutputConverter",
    "from pyservicemaker import postprocessing; postprocessing.ObjectDetectorOutputConverter",
    "from pyservicemaker.utils import MediaChunk, MediaExtractor, VideoFrame, PerfMonitor, EngineFileMonitor",
    "from pyservicemaker.source_config import SourceConfig, RecordConfig, SensorInfo, CameraInfo",
    "from pyservicemaker.pipeline import Pipeline",
    "from pyservicemaker import signal; signal.Emitter, signal.SourceManager",
    "from pyservicemaker import osd; osd.Text, osd.EventHandler, osd.FontFamily.Serif",
    "from pyservicemaker import *; Pipeline, utils.MediaInfo",
    "import _pydeepstream; _pydeepstream.signal.SourceManager",
)


def test_imports():
    code = "\n".join(f"exec({line!r}, {{}}); print({index})" for index, line in enumerate(LINES))
    assert run(code) == [str(index) for index in range(len(LINES))]


def test_utils_is_one_module_however_it_is_reached():
    said = run("""
import pyservicemaker.utils as first
from pyservicemaker import utils as second
import pyservicemaker
print(first is second is pyservicemaker.utils, hasattr(second, "PerfMonitor"), hasattr(first, "MediaExtractor"))
""")
    assert said == ["True", "True", "True"]


def test_its_pipeline_has_that_packages_manners_and_the_rest_is_headraces():
    said = run("""
import headrace, pyservicemaker
from pyservicemaker.pipeline import Pipeline
print(pyservicemaker.__version__, Pipeline is pyservicemaker.Pipeline, issubclass(Pipeline, headrace.Pipeline))
print(all(getattr(headrace, name) is getattr(pyservicemaker, name)
          for name in pyservicemaker.__all__ if name not in ("Pipeline", "utils", "postprocessing")))
print(headrace.utils.PerfMonitor is pyservicemaker.utils.PerfMonitor)
""")
    assert said == ["0.0.1", "True", "True", "True", "True"]


def test_every_name_can_be_had_from_headrace():
    for name in NAMES.split(", "):
        assert getattr(headrace, name) is not None
        assert name in headrace.__all__


def test_importing_starts_no_thread_and_loads_no_engine():
    said = run("""
import sys, threading
import pyservicemaker
print(threading.active_count(), *(name in sys.modules for name in ("onnxruntime", "torch", "openvino")))
""")
    assert said == ["1", "False", "False", "False"]


def test_a_flow_runs_in_a_forked_process():
    said = run("""
from multiprocessing import get_context
from pyservicemaker import BatchMetadataOperator, Flow, Pipeline, Probe, RenderMode

class Count(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        for frame in batch_meta.frame_items:
            print(f"frame={frame.frame_number}", flush=True)

def main():
    flow = Flow(Pipeline("forked")).batch_capture(["sim://plaza?frames=3&width=64&height=48"])
    flow.attach(what=Probe("count", Count())).render(RenderMode.DISCARD)()

process = get_context("fork").Process(target=main)
process.start()
process.join()
print("code", process.exitcode)
""")
    assert [word for word in said if word.startswith("frame=")] == ["frame=0", "frame=1", "frame=2"]
    assert said[-2:] == ["code", "0"]


def test_loggers_write_without_being_set_up():
    code = """
import sys
from pyservicemaker.logging import get_logger
sys.stderr = sys.stdout
logger = get_logger("mine")
logger.debug("hidden")
logger.info("shown")
logger.setLevel("DEBUG")
get_logger("mine").debug("now")
"""
    said = run(code)
    assert "hidden" not in said
    assert [word for word in said if word in ("shown", "now")] == ["shown", "now"]
