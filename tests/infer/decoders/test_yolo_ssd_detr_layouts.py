"""Which family the layouts of publicly known exports are taken for, and which are asked about."""

from __future__ import annotations

import pytest

from headrace.errors import ModelError
from headrace.infer.decoders import choose_decoder, guess_decoders
from headrace.infer.engines import ModelGraph, TensorSpec

COCO = {"names": str({n: f"name {n}" for n in range(80)}), "task": "detect", "imgsz": "[640, 640]"}


def maps(*channels, size=640, strides=(8, 16, 32)):
    return [(f"map{s}{c}", (1, c, size // s, size // s)) for s in strides for c in channels]


def five(numbers, size=640, strides=(8, 16, 32)):
    return [(f"map{s}", (1, 3, size // s, size // s, numbers)) for s in strides]


def levels(classes, size=(480, 640)):
    strides = (8, 16, 32, 64, 128)
    grids = [(-(-size[0] // s), -(-size[1] // s)) for s in strides]
    return [(f"cls{n}", (1, 9 * classes, *g)) for n, g in enumerate(grids)] + [
        (f"box{n}", (1, 36, *g)) for n, g in enumerate(grids)
    ]


#: Export, decoder, outputs (name, shape[, type]), input (width, height), labels, metadata.
KNOWN = [
    ("YOLOX of Megvii", "yolox", [("output", (1, 3549, 85))], 416, None, {}),
    ("YOLOX, one class", "yolox", [("output", (1, 3549, 6))], 416, 1, {}),
    ("YOLOX, open batch", "yolox", [("output", (None, 8400, 85))], 640, 80, {}),
    ("YOLOv6 of Meituan", "yolov6", [("outputs", (1, 8400, 85))], 640, None, {}),
    ("YOLOv5", "yolov5", [("output0", (1, 25200, 85))], 640, 80, COCO),
    ("YOLOv5, no metadata", "yolov5", [("output", (1, 25200, 85))], 640, None, {}),
    ("YOLOv5 P6", "yolov5", [("output", (1, 102000, 85))], 1280, None, {}),
    ("YOLOv5 with its maps", "yolov5", [("output", (1, 25200, 85)), *five(85)], 640, None, {}),
    ("YOLOv5, open rows", "yolov5", [("output", (None, None, 85))], None, 80, {}),
    ("YOLOv7", "yolov5", [("output", (1, 25200, 85))], 640, None, {}),
    ("YOLOv7, max-wh", "yolonms", [("output", (None, 7))], 640, None, {}),
    ("YOLOv7, EfficientNMS", "efficientnms",
     [("num_dets", (1, 1), "int32"), ("det_boxes", (1, 100, 4)), ("det_scores", (1, 100)),
      ("det_classes", (1, 100), "int32")],
     640, None, {}),
    ("BatchedNMS", "efficientnms",
     [("num_detections", (1, 1), "int32"), ("nmsed_boxes", (1, 100, 4)), ("nmsed_scores", (1, 100)),
      ("nmsed_classes", (1, 100))],
     640, None, {}),
    ("YOLOv8", "yolov8", [("output0", (1, 84, 8400))], 640, 80, COCO),
    ("YOLOv8, no metadata", "yolov8", [("output0", (1, 84, 8400))], 640, None, {}),
    ("YOLOv8, one class", "yolov8", [("output0", (1, 5, 8400))], 640, None, {}),
    ("YOLOv8, transposed", "yolov8", [("output0", (1, 8400, 84))], 640, None, {}),
    ("YOLOv8, transposed, five labels", "yolov8", [("output0", (1, 8400, 9))], 640, 5, {}),
    ("YOLOv8, open", "yolov8", [("output0", (None, 84, None))], None, 80, {}),
    ("YOLOv8, open, no labels", "yolov8", [("output0", (None, 84, None))], None, None, {}),
    ("YOLOv8 P2", "yolov8", [("output0", (1, 84, 34000))], 640, 80, COCO),
    ("YOLOv9", "yolov8", [("output0", (1, 84, 8400))], 640, None, {}),
    ("YOLO11-pose", "yolov8pose", [("output0", (1, 56, 8400))], 640, 1,
     {"task": "pose", "names": "{0: 'person'}", "kpt_shape": "[17, 3]"}),
    ("YOLO11-pose, label only", "yolov8pose", [("output0", (1, 56, 8400))], 640, 1, {}),
    ("YOLO11-obb", "yolov8obb", [("output0", (1, 20, 21504))], 1024, 15, {"task": "obb"}),
    ("YOLO11-seg", "yolov8seg",
     [("output0", (1, 116, 8400)), ("output1", (1, 32, 160, 160))], 640, 80, {"task": "segment"}),
    ("YOLO11-seg, no metadata", "yolov8seg",
     [("output0", (1, 116, 8400)), ("output1", (1, 32, 160, 160))], 640, None, {}),
    ("YOLOv10", "yolov10", [("output0", (1, 300, 6))], 640, 80, COCO),
    ("YOLOv10, no metadata", "yolov10", [("output0", (1, 300, 6))], 640, None, {}),
    ("YOLOv10, open batch", "yolov10", [("output0", (None, 300, 6))], 640, 80, {}),
    ("YOLO26", "yolov10", [("output0", (1, 300, 6))], 640, 80, {**COCO, "end2end": "True"}),
    ("YOLO26-pose", "yolo26pose", [("output0", (1, 300, 57))], 640, 1, {"task": "pose", "kpt_shape": "[17, 3]"}),
    ("YOLO26-obb", "yolo26obb", [("output0", (1, 300, 7))], 1024, 15, {"task": "obb"}),
    ("YOLO26-seg", "yolo26seg",
     [("output0", (1, 300, 38)), ("output1", (1, 32, 160, 160))], 640, 80, {"task": "segment"}),
    ("YOLOv5-seg", "yolov5seg",
     [("output0", (1, 25200, 117)), ("output1", (1, 32, 160, 160))], 640, 80, {"task": "segment"}),
    ("YOLOv4 of the PyTorch port", "yolov4boxes",
     [("boxes", (1, 10647, 1, 4)), ("confs", (1, 10647, 80))], 416, None, {}),
    ("DeepStream-Yolo's YOLOv8", "deepstreamyolo", [("output", (None, 8400, 6))], 640, 80, {}),
    ("DeepStream-Yolo's YOLOv5", "deepstreamyolo", [("output", (None, 25200, 6))], 640, 80, {}),
    ("SSD MobileNet of jetson-inference", "ssdboxes",
     [("scores", (1, 3000, 5)), ("boxes", (1, 3000, 4))], 300, None, {}),
    ("YOLO-NAS", "yolonas", [("913", (1, 8400, 4)), ("904", (1, 8400, 80))], 640, None, {}),
    ("YOLO-NAS, batch", "efficientnms",
     [("graph2_num_predictions", (1, 1), "int64"), ("graph2_pred_boxes", (1, 1000, 4)),
      ("graph2_pred_scores", (1, 1000)),
      ("graph2_pred_classes", (1, 1000), "int64")], 640, None, {}),
    ("YOLO-NAS, flat", "yolonms", [("graph2_flat_predictions", (None, 7))], 640, None, {}),
    ("DAMO-YOLO", "damoyolo", [("output", (1, 8400, 80)), ("954", (1, 8400, 4))], 640, None, {}),
    ("PP-YOLOE", "ppyoloe", [("tmp_16", (1, 8400, 4)), ("concat_14.tmp_0", (1, 80, 8400))], 640, None, {}),
    ("PP-YOLOE with suppression", "paddle",
     [("multiclass_nms3_0.tmp_0", (None, 6)), ("multiclass_nms3_0.tmp_2", (None,), "int32")], 640, None, {}),
    ("MMDeploy", "mmdet", [("dets", (None, None, 5)), ("labels", (None, None), "int64")], 640, None, {}),
    ("TensorFlow's object detection API", "ssd",
     [("detection_boxes", (1, 100, 4)), ("detection_classes", (1, 100)), ("detection_scores", (1, 100)),
      ("num_detections", (1, 1))], 300, None, {}),
    ("OpenVINO's model zoo", "detectionoutput", [("detection_out", (1, 1, 200, 7))], 300, None, {}),
    ("SSD300", "ssdraw", [("loc", (1, 8732, 4)), ("conf", (1, 8732, 21))], 300, None, {}),
    ("SSD300 of NVIDIA", "ssdraw", [("ploc", (1, 4, 8732)), ("plabel", (1, 81, 8732))], 300, None, {}),
    ("torchvision's RetinaNet", "torchvision",
     [("boxes", (None, 4)), ("scores", (None,)), ("labels", (None,), "int64")], 800, None, {}),
    ("RetinaNet of ONNX's model zoo", "retinanet", levels(80), (640, 480), None, {}),
    ("DETR of Hugging Face", "detr", [("logits", (1, 100, 92)), ("pred_boxes", (1, 100, 4))], 800, None, {}),
    ("Deformable DETR", "dino", [("pred_logits", (1, 300, 91)), ("pred_boxes", (1, 300, 4))], 800, None, {}),
    ("DINO", "dino", [("pred_logits", (1, 900, 91)), ("pred_boxes", (1, 900, 4))], 800, None, {}),
    ("RT-DETR of Hugging Face", "rtdetr", [("logits", (1, 300, 80)), ("pred_boxes", (1, 300, 4))], 640, None, {}),
    ("RT-DETR of ultralytics", "rtdetr",
     [("output0", (1, 300, 84))], 640, 80, {**COCO, "description": "Ultralytics rtdetr-l model"}),
    ("RF-DETR", "rfdetr", [("dets", (1, 300, 4)), ("labels", (1, 300, 91))], 560, None, {}),
    ("RF-DETR-seg", "rfdetr",
     [("dets", (1, 200, 4)), ("labels", (1, 200, 91)), ("masks", (1, 200, 108, 108))], 432, None, {}),
]  # fmt: skip
#: Shapes that more than one family has: the user is asked, and told which.
ASKED = [
    ("heads with anchors", {"yolov3", "yolov4", "yolov5raw", "yolov7raw"}, maps(255), 640, None, {}),
    ("open logits", {"detr", "dino", "rtdetr"},
     [("logits", (None, None, None)), ("boxes", (None, None, 4))], None, None, {}),
    ("heads with anchors, channels last", {"yolov3", "yolov4"},
     [(f"m{g}", (1, g, g, 3, 85)) for g in (52, 26, 13)], 416, None, {}),
    ("heads with anchors, five axes", {"yolov5raw", "yolov7raw"}, five(85), 640, None, {}),
    ("tiny heads with anchors", {"yolov3", "yolov4", "yolov5raw"},
     maps(255, size=416, strides=(16, 32)), 416, None, {}),
    ("56 numbers", {"yolov8", "yolov8pose"}, [("output0", (1, 56, 8400))], 640, None, {}),
    ("20 numbers", {"yolov8", "yolov8obb"}, [("output0", (1, 20, 21504))], 1024, None, {}),
    ("three classes or an angle", {"yolo26obb", "rtdetr"}, [("output0", (1, 300, 7))], 640, 3, {}),
    ("queries of three classes", {"dino", "rtdetr"}, [("logits", (1, 300, 3)), ("boxes", (1, 300, 4))], 800, 3, {}),
    ("seven columns of an open batch", {"yolonms", "classifier"}, [("x", (None, 7))], None, None, {}),
]  # fmt: skip


def graph_of(outputs, size, labels, metadata, batch=1):
    specs = tuple(TensorSpec(name, shape, *(kind or ["float32"])) for name, shape, *kind in outputs)
    width, height = size if isinstance(size, tuple) else (size, size)
    batch = None if size is None else batch
    image = TensorSpec("images", (batch, 3, height, width), "float32")
    return ModelGraph("m.onnx", (image,), specs, metadata, labels)


@pytest.mark.parametrize(
    ("decoder", "layout"), [(one[1], one[2:]) for one in KNOWN], ids=[one[0] for one in KNOWN]
)
def test_public_exports_are_recognised(decoder, layout):
    guess = choose_decoder(graph_of(*layout))
    assert guess.decoder.name == decoder, guess
    assert guess.match.reason


@pytest.mark.parametrize(
    ("decoders", "layout"), [(one[1], one[2:]) for one in ASKED], ids=[one[0] for one in ASKED]
)
def test_shapes_of_several_families_are_asked_about(decoders, layout):
    with pytest.raises(ModelError, match="may be of several families") as caught:
        choose_decoder(graph_of(*layout))
    named = str(caught.value).split("Name the decoder: ")[1].split(" or ")
    assert set(named) == decoders


def test_an_open_batch_is_recognised_as_well():
    for _, decoder, outputs, size, labels, metadata in KNOWN:
        if decoder in ("yolonms", "paddle", "torchvision", "detectionoutput"):
            continue  # these have no batch axis
        opened = [(name, (None, *shape[1:]), *kind) for name, shape, *kind in outputs]
        assert choose_decoder(graph_of(opened, size, labels, metadata, None)).decoder.name == decoder


def test_names_tell_a_single_class_from_finished_rows():
    outputs = (TensorSpec("output", (1, 8400, 6), "float32"),)
    for name, decoder in (("images", "yolox"), ("input", "deepstreamyolo")):
        image = TensorSpec(name, (1, 3, 640, 640), "float32")
        assert choose_decoder(ModelGraph("m.onnx", (image,), outputs, {}, 1)).decoder.name == decoder


def test_d_fine_is_known_by_its_second_input():
    outputs = [("labels", (None, 300), "int64"), ("boxes", (None, 300, 4)), ("scores", (None, 300))]
    graph = graph_of(outputs, 640, None, {})
    assert choose_decoder(graph).decoder.name == "ssd"
    sized = ModelGraph(
        "m.onnx", (*graph.inputs, TensorSpec("orig_target_sizes", (None, 2), "int64")), graph.outputs
    )
    assert [guess.decoder.name for guess in guess_decoders(sized)] == ["rtdetr", "ssd"]
