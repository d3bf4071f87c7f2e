"""Inputs and outputs of public exports, as their authors' pages show them, and what they are taken for."""

import pytest

from headrace.errors import ModelError
from headrace.infer.decoders import choose_decoder
from headrace.infer.engines import ModelGraph, TensorSpec
from headrace.infer.files.file_model import image_graph


def _strides(size, strides, lengths, names):
    """Rows of each stride for a square input."""
    rows = [(-(-size // stride)) ** 2 for stride in strides]
    return {
        name.format(s): (1, r, n)
        for name, n in zip(names, lengths, strict=True)
        for s, r in zip(strides, rows, strict=True)
    }


NANODET = _strides(416, (8, 16, 32), (80, 32), ("cls_pred_stride_{}", "dis_pred_stride_{}"))
NANODET_NUMBERS = dict(zip(("792", "814", "836", "795", "817", "839"), NANODET.values(), strict=True))
PICODET = _strides(416, (8, 16, 32, 64), (80, 32), ("save_infer_model/scale_{}.tmp_0", "transpose_{}.tmp_0"))
YUNET = _strides(640, (8, 16, 32), (1, 1, 4, 10), ("cls_{}", "obj_{}", "bbox_{}", "kps_{}"))
SCRFD = {str(448 + 3 * i + j): ((80 // 2**j) ** 2 * 2, n) for i, n in enumerate((1, 4, 10)) for j in range(3)}
SCRFD_BATCH = {name: (1, *shape) for name, shape in SCRFD.items()}
SCRFD_OPEN = {name: (None, shape[1]) for name, shape in SCRFD.items()}
GFL = {f"{kind}_{s}": (1, n, -(-800 // s), -(-1333 // s)) for kind, n in (("cls_score", 80), ("bbox_pred", 68))
       for s in (8, 16, 32, 64, 128)}  # fmt: skip

#: decoder, input, outputs (int64 where the name ends in an asterisk), metadata
LAYOUTS = [
    ("nanodet", (1, 3, 416, 416), NANODET, {}),
    ("nanodet", (1, 3, 416, 416), NANODET_NUMBERS, {}),
    ("nanodetplus", (1, 3, 320, 320), {"output": (1, 2125, 112)}, {}),
    ("nanodetplus", (1, 3, 416, 416), {"output": (1, 3598, 112)}, {}),
    ("nanodetplus", (1, 3, 416, 416), {"output": (1, 3598, 34)}, {"names": "['a', 'b']"}),
    ("picodet", (1, 3, 416, 416), PICODET, {}),
    ("gfl", (1, 3, 800, 1333), GFL, {}),
    ("fastestdet", (1, 3, 352, 352), {"758": (1, 85, 22, 22)}, {}),
    ("fastestdet", (1, 3, 512, 512), {"output": (1, 6, 32, 32)}, {"names": "{0: 'face'}"}),
    ("detectnet", (None, 3, 544, 960),
     {"output_bbox/BiasAdd:0": (None, 12, 34, 60), "output_cov/Sigmoid:0": (None, 3, 34, 60)}, {}),
    ("centernet", (1, 3, 512, 512), {"hm": (1, 80, 128, 128), "wh": (1, 2, 128, 128), "reg": (1, 2, 128, 128)}, {}),
    ("ultraface", (1, 3, 240, 320), {"scores": (1, 4420, 2), "boxes": (1, 4420, 4)}, {}),
    ("ultraface", (1, 3, 480, 640), {"scores": (1, 17640, 2), "boxes": (1, 17640, 4)}, {}),
    ("yunet", (1, 3, 640, 640), YUNET, {}),
    ("scrfd", (1, 3, 640, 640), SCRFD, {}),
    ("scrfd", (1, 3, 640, 640), SCRFD_BATCH, {}),
    ("scrfd", (1, 3, None, None), SCRFD_OPEN, {}),
    ("retinaface", (1, 3, 640, 640),
     {"bbox": (1, 16800, 4), "confidence": (1, 16800, 2), "landmark": (1, 16800, 10)}, {}),
    ("maskrcnn", (1, 3, 800, 800),
     {"boxes": (None, 4), "labels*": (None,), "scores": (None,), "masks": (None, 1, 800, 800)}, {}),
    ("maskrcnn", (3, None, None),
     {"6568": (None, 4), "6570*": (None,), "6572": (None,), "6887": (None, 1, 28, 28)}, {}),
    ("semantic", (None, 3, None, None), {"out": (None, 21, None, None), "aux": (None, 21, None, None)}, {}),
    ("semantic", (1, 3, 520, 520), {"out": (1, 21, 520, 520)}, {}),
    ("semantic", (None, 3, 512, 512), {"logits": (None, 150, 128, 128)}, {}),
    ("semantic", (1, 3, 512, 1024), {"argmax_0.tmp_0*": (1, 512, 1024)}, {}),
    ("heatmap", (1, 3, 256, 192), {"output": (1, 17, 64, 48)}, {}),
    ("heatmap", (None, 3, 256, 192), {"heatmaps": (None, 17, 64, 48)}, {}),
    ("heatmap", (1, 3, 256, 256), {"heatmap": (1, 98, 64, 64)}, {}),
    ("simcc", (None, 3, 256, 192), {"simcc_x": (None, 17, 384), "simcc_y": (None, 17, 512)}, {}),
    ("simcc", (1, 3, 384, 288), {"output": (1, 133, 576), "1848": (1, 133, 768)}, {}),
    ("movenet", (1, 192, 192, 3), {"output_0": (1, 1, 17, 3)}, {}),
    ("movenetmulti", (1, None, None, 3), {"output_0": (1, 6, 56)}, {}),
    ("blazeface", (1, 128, 128, 3), {"regressors": (1, 896, 16), "classificators": (1, 896, 1)}, {}),
    ("blazeface", (1, 3, 192, 192), {"box": (1, 2304, 16), "score": (1, 2304, 1)}, {}),
    ("classifier", (None, 3, 224, 224), {"resnetv17_dense0_fwd": (None, 1000)}, {}),
    ("classifier", (1, 3, 224, 224), {"softmaxout_1": (1, 1000, 1, 1)}, {}),
    ("classifier", (1, 224, 224, 3), {"Softmax:0": (1, 1000)}, {}),
    ("classifier", (1, 1, 64, 64), {"Plus692_Output_0": (1, 8)}, {}),
    ("classifier", (1, 3, 72, 72), {"color": (1, 7, 1, 1), "type": (1, 4, 1, 1)}, {}),
    ("classifier", (1, 3, 224, 224), {"output": (1, 512)}, {"names": str([str(i) for i in range(512)])}),
    ("multilabel", (1, 3, 224, 224), {"sigmoid": (1, 40)}, {}),
    ("multilabel", (1, 3, 224, 224), {"logits": (1, 40)}, {"problem_type": "multi_label_classification"}),
    ("embedding", (None, 3, 112, 112), {"683": (None, 512)}, {}),
    ("embedding", (1, 3, 112, 112), {"fc1": (1, 512)}, {}),
    ("embedding", (None, 3, 256, 128), {"output": (None, 512)}, {}),
    ("embedding", (None, 3, 224, 224), {"image_embeds": (None, 512)}, {}),
    ("embedding", (1, 3, 224, 224), {"features": (1, 2048, 1, 1)}, {}),
]  # fmt: skip

#: Graphs that shapes and names do not tell apart, and what they may be.
AMBIGUOUS = [
    ((1, 3, 224, 224), {"output": (1, 512)}, {"classifier", "embedding"}),
    ((1, 3, 256, 256), {"output": (1, 17, 64, 64)}, {"heatmap", "semantic"}),
    ((1, 3, 512, 512), {"x": (1, 19, 32, 32)}, {"fastestdet", "semantic"}),
]
#: Graphs that nothing here reads.
UNKNOWN = [
    ((1, 3, 320, 320), SCRFD),  # that of 640
    ((1, 3, 518, 518), {"predicted_depth": (1, 1, 518, 518)}),
    ((1, 3, None, None), {"output": (1, 3, None, None)}),
    ((1, 3, 224, 224), {"x": (1, 17, 11, 13)}),
    ((1, 3, 224, 224), {"last_hidden_state": (1, 50, 768), "pooler_output": (1, 768)}),
    ((1, 3, 320, 320), {"cls_8": (1, 1600, 1), "obj_8": (1, 1600, 1)}),
]


def graph_of(input_shape, outputs, metadata):
    specs = tuple(
        TensorSpec(name.rstrip("*"), shape, "int64" if name.endswith("*") else "float32")
        for name, shape in outputs.items()
    )
    names = metadata.get("names")
    image = TensorSpec("input", input_shape, "float32")
    graph = ModelGraph("model.onnx", (image,), specs, metadata, None if names is None else len(eval(names)))
    return image_graph(graph)


@pytest.mark.parametrize(
    ("decoder", "shape", "outputs", "metadata"), LAYOUTS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_public_exports_are_recognised(decoder, shape, outputs, metadata):
    guess = choose_decoder(graph_of(shape, outputs, metadata))
    assert guess.decoder.name == decoder
    assert guess.match.reason


@pytest.mark.parametrize(("shape", "outputs", "candidates"), AMBIGUOUS)
def test_what_may_be_several_families_is_asked_for(shape, outputs, candidates):
    with pytest.raises(ModelError, match="several families") as caught:
        choose_decoder(graph_of(shape, outputs, {}))
    assert all(f"{name} (" in str(caught.value) for name in candidates)


@pytest.mark.parametrize(("shape", "outputs"), UNKNOWN)
def test_what_no_family_has_is_refused(shape, outputs):
    with pytest.raises(ModelError, match="no decoder fits"):
        choose_decoder(graph_of(shape, outputs, {}))
