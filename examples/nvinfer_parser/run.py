"""Count the objects of each frame of a synthetic scene: python run.py [frames]."""

import sys
from collections import Counter
from pathlib import Path

from headrace import BatchMetadataOperator, Pipeline, Probe

CONFIG = Path(__file__).with_name("pgie.txt")


class Count(BatchMetadataOperator):
    """Prints how many objects of each class there are."""

    def handle_metadata(self, batch_meta):
        for frame in batch_meta.frame_items:
            found = Counter(obj.label for obj in frame.object_items)
            print(
                f"frame {frame.frame_number}: "
                + ", ".join(f"{n} {name}" for name, n in sorted(found.items()))
            )


def main(frames):
    pipeline = Pipeline("parser")
    pipeline.add("hrsimsrc", "scene", {"scene": "sim://crossroad?seed=1", "num-buffers": frames})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1})
    pipeline.add("nvinfer", "detector", {"config-file-path": str(CONFIG)})
    pipeline.add("fakesink", "sink", {"sync": False})
    pipeline.link(("scene", "mux"), ("", "sink_%u"))
    pipeline.link("mux", "detector", "sink")
    pipeline.attach("detector", Probe("count", Count()))
    pipeline.start().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
