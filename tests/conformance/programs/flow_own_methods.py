"""A method of the program's own is added to Flow, to put any element into it."""

import sys

from pyservicemaker import BatchMetadataOperator, Flow, Pipeline, Probe
from pyservicemaker.flow import RenderMode


class Count(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            print(f"objects {len(list(frame_meta.object_items))}", flush=True)


def with_elements(self, names, properties):
    for index, name in enumerate(names):
        unique = f"own-{name}-{index}"
        self._pipeline.add(name, unique, properties[index])
        stream = self._streams[0]
        self._pipeline.link(stream.originator if hasattr(stream, "originator") else stream, unique)
        self._streams = [unique]
    return Flow(self._pipeline, streams=[unique], parent=self)


if __name__ == "__main__":
    Flow.with_elements = with_elements
    flow = Flow(Pipeline("own")).batch_capture(sys.argv[1:], width=640, height=360)
    flow = flow.with_elements(["nvmultistreamtiler", "nvdsosd"], [{"width": 640, "height": 360}, {}])
    flow.pipeline[flow._streams[0]].set([{"display-text": 1}, {"process-mode": 0}])
    flow = flow.attach(what=Probe("count", Count())).attach("measure_fps_probe", "fps")
    flow.render(mode=RenderMode.DISCARD, enable_osd=False, sync=False)()
    print("done")
