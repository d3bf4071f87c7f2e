"""Takes the model's raw outputs from each frame, makes objects of them itself, and classifies those.

own_objects.py CLIP...
"""

import sys

import numpy as np
from pyservicemaker import BatchMetadataOperator, Pipeline, Probe, osd

CONFIGS = "/opt/nvidia/deepstream/deepstream/sources/apps/sample_apps/deepstream-test2"
SIZE = (1280, 720)
CELL, NORM, LEAST = 16, 35.0, 0.5


class OwnObjects(BatchMetadataOperator):
    """Boxes of the best cell of each class, from the grid that the detector gives."""

    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            assert not list(frame_meta.object_items)
            for item in frame_meta.tensor_items:
                layers = item.as_tensor_output().get_layers()
                coverage = next(np.from_dlpack(layers.pop(name)) for name in list(layers) if "cov" in name)
                ((_, boxes),) = ((name, np.from_dlpack(tensor)) for name, tensor in layers.items())
                for class_id, plane in enumerate(coverage):
                    row, column = np.unravel_index(plane.argmax(), plane.shape)
                    if plane[row, column] >= LEAST:
                        sides = boxes[4 * class_id : 4 * class_id + 4, row, column] * NORM
                        self.add(batch_meta, frame_meta, class_id, (column, row), sides, plane.shape)

    def add(self, batch_meta, frame_meta, class_id, cell, sides, grid):
        x, y = cell[0] * CELL + 0.5, cell[1] * CELL + 0.5
        scale_x, scale_y = SIZE[0] / (grid[1] * CELL), SIZE[1] / (grid[0] * CELL)
        object_meta = batch_meta.acquire_object_meta()
        object_meta.class_id, object_meta.confidence, object_meta.unique_component_id = class_id, 0.9, 1
        rect = object_meta.rect_params
        rect.left, rect.top = float(x - sides[0]) * scale_x, float(y - sides[1]) * scale_y
        rect.width, rect.height = float(sides[0] + sides[2]) * scale_x, float(sides[1] + sides[3]) * scale_y
        rect.border_width, rect.border_color = 2, osd.Color(0.0, 1.0, 0.0, 1.0)
        frame_meta.append(object_meta)


class Tell(BatchMetadataOperator):
    """What was found, and what the second model says of it."""

    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            for object_meta in frame_meta.object_items:
                labels = [
                    meta.get_n_label(index)
                    for meta in object_meta.classifier_items
                    for index in range(meta.n_labels)
                ]
                print(f"frame {frame_meta.frame_number} class {object_meta.class_id} {' '.join(labels)}")


def main(clips):
    pipeline = Pipeline("own-objects")
    pipeline.add("nvstreammux", "mux", {"batch-size": len(clips), "width": SIZE[0], "height": SIZE[1]})
    for index, clip in enumerate(clips):
        pipeline.add("nvurisrcbin", f"source{index}", {"uri": f"file://{clip}"})
        pipeline.link((f"source{index}", "mux"), ("", "sink_%u"))
    pipeline.add(
        "nvinfer", "pgie", {"config-file-path": f"{CONFIGS}/dstest2_pgie_config.txt", "output-tensor-meta": 1}
    )
    pipeline["pgie"].set({"filter-out-class-ids": "0;1;2;3", "batch-size": len(clips)})
    pipeline.add(
        "nvinfer", "sgie", {"config-file-path": f"{CONFIGS}/dstest2_sgie2_config.txt", "unique-id": 7}
    )
    pipeline.add("nvdsosd", "osd").add("fakesink", "sink", {"sync": 0})
    pipeline.link("mux", "pgie", "sgie", "osd", "sink")
    pipeline.attach("pgie", Probe("own", OwnObjects())).attach("sgie", Probe("tell", Tell()))
    pipeline.start().wait()


if __name__ == "__main__":
    main(sys.argv[1:])
