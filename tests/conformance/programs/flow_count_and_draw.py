"""A detector, a counter that writes on the picture, and a window; in a process of its own, as such programs are."""

import sys
from multiprocessing import Process

from pyservicemaker import BatchMetadataOperator, Flow, Pipeline, Probe, osd

CONFIG = "/opt/nvidia/deepstream/deepstream/sources/apps/sample_apps/deepstream-test1/dstest1_pgie_config.yml"


class Tally(BatchMetadataOperator):
    def __init__(self, flow):
        super().__init__()
        self.flow = flow

    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            classes = [object_meta.class_id for object_meta in frame_meta.object_items]
            print(
                f"source {frame_meta.pad_index} frame {frame_meta.frame_number} cars {classes.count(0)}",
                flush=True,
            )
            note = osd.Text()
            note.display_text = f"cars: {classes.count(0)}".encode("ascii")
            note.x_offset, note.y_offset = 10, 12
            note.font.name = osd.FontFamily.Serif
            note.font.size = 12
            note.font.color = osd.Color(1.0, 1.0, 1.0, 1.0)
            note.set_bg_color = True
            note.bg_color = osd.Color(0.0, 0.0, 0.0, 1.0)
            display_meta = batch_meta.acquire_display_meta()
            display_meta.add_text(note)
            frame_meta.append(display_meta)


def main(paths):
    flow = Flow(Pipeline("count-and-draw")).batch_capture(paths).infer(CONFIG)
    flow.attach(what=Probe("tally", Tally(flow))).render(sync=False)()


if __name__ == "__main__":
    process = Process(target=main, args=(sys.argv[1:],))
    try:
        process.start()
        process.join()
    except KeyboardInterrupt:
        process.terminate()
    sys.exit(process.exitcode)
