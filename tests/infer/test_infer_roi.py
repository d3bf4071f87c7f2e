"""Tensors of regions: configuration, which regions, what is in the rows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from headrace.errors import ConfigError, FrameError, ModelError
from headrace.frames import Frame, convert, to_rgb
from headrace.infer.roi import (
    Picture,
    PreprocessConfig,
    Region,
    RegionFinder,
    RegionGroup,
    SequencePreparation,
    make_preparation,
    read_preprocess_config,
)
from headrace.meta import BatchMetadata, Detections, RoiMetadata

KEY_FILE = """
[property]
enable=1
    # blanks in front
target-unique-ids=1;3
network-input-shape=8;3;24;48
processing-width=48
processing-height=24
maintain-aspect-ratio=1
tensor-name=input_1:0
scaling-pool-interpolation-filter=0
custom-lib-path=/opt/nvidia/deepstream/deepstream/lib/gst-plugins/libcustom2d_preprocess.so
custom-tensor-preparation-function=CustomTensorPreparation
[user-configs]
pixel-normalization-factor=0.0039
offsets=1;2;3
[group-1]
src-ids=1
process-on-roi=0
[group-0]
src-ids=0;2
custom-input-transformation-function=CustomAsyncTransformation
process-on-roi=1
roi-params-src-0=0;0;40;30;20;10;40;30;
roi-params-src-2=100;50;30;30
"""


def write(folder: Path, text: str, name: str = "regions.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_is_read_in_the_order_of_its_groups(tmp_path: Path) -> None:
    config = read_preprocess_config(write(tmp_path, KEY_FILE))
    assert (config.target_unique_ids, config.size, config.pixel_factor) == ((1, 3), (48, 24), 0.0039)
    assert (config.offsets, config.tensor_name, config.scaling_filter) == ((1, 2, 3), "input_1:0", 0)
    assert [group.name for group in config.groups] == ["group-0", "group-1"]
    assert config.groups[0].rois[0] == ((0, 0, 40, 30), (20, 10, 40, 30))
    assert config.groups[0].regions_of(2) == ((100, 50, 30, 30),)
    assert config.groups[1].regions_of(0) == ()


def test_yaml_says_the_same(tmp_path: Path) -> None:
    text = """
property: {network-input-shape: 1;3;8;8, target-unique-ids: 2}
group-0: {src-ids: 0, process-on-roi: 1, roi-params-src-0: 0;0;8;8}
"""
    config = read_preprocess_config(write(tmp_path, text, "regions.yaml"))
    assert (config.target_unique_ids, config.groups[0].rois) == ((2,), {0: ((0, 0, 8, 8),)})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[property]", "[propperty]", "no group"),
        ("[group-0]", "[gruppe-0]", None),
        ("0;0;40;30;20;10;40;30;", "0;0;40", "roi-params-src-0"),
        ("0;0;40;30;20;10;40;30;", "0;0;0;30", "sizes above 0"),
        ("roi-params-src-2", "roi-params-src-7", "source 2"),
        ("=8;3;24;48", "=8;3;x", "network-input-shape"),
        ("=8;3;24;48", "=8", "network-input-shape"),
        ("offsets=1;2;3", "offsets=1", "offsets"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    path = write(tmp_path, KEY_FILE.replace(old, new))
    if message is None:
        assert len(read_preprocess_config(path).groups) == 1
    else:
        with pytest.raises(ConfigError, match=message):
            read_preprocess_config(path)


def config_of(*groups: RegionGroup, **values: object) -> PreprocessConfig:
    return PreprocessConfig(**{"groups": groups, "network_input_shape": (4, 3, 24, 48), **values})


def batch_of(*sources: int) -> BatchMetadata:
    batch = BatchMetadata.new()
    for source in sources:
        batch.add_frame(source_id=source, pad_index=source, pipeline_width=160, pipeline_height=90)
    return batch


def test_regions_come_group_by_group_and_frame_by_frame() -> None:
    rois = RegionGroup(
        src_ids=(0, 2),
        process_on_roi=True,
        rois={0: ((0, 0, 10, 10), (150, 80, 50, 50)), 2: ((5, 5, 20, 20),)},
    )
    finder = RegionFinder(config_of(rois, RegionGroup(src_ids=(1,))))
    found = finder.find(batch_of(2, 1, 0, 7))
    assert [(region.frame, region.box) for region in found] == [
        (0, (5, 5, 20, 20)),
        (2, (0, 0, 10, 10)),
        (2, (150, 80, 10, 10)),
        (1, (0, 0, 160, 90)),
    ]
    assert [region.key for region in found] == [(2, 0, 0), (0, 0, 0), (0, 0, 1), (1, 1, 0)]


def test_a_group_skips_batches_on_its_own() -> None:
    finder = RegionFinder(config_of(RegionGroup(src_ids=(0,), interval=1), RegionGroup(src_ids=(1,))))
    counts = [[region.frame for region in finder.find(batch_of(0, 1))] for _ in range(3)]
    assert counts == [[0, 1], [1], [0, 1]]


@pytest.mark.parametrize(
    ("group", "maker", "rows"),
    [
        (RegionGroup(), -1, [0, 1, 2, 3]),
        (RegionGroup(operate_on_class_ids=(1,)), -1, [1]),
        (RegionGroup(operate_on_class_ids=(-1,)), -1, [0, 1, 2, 3]),
        (RegionGroup(input_object_min_width=21), -1, [2]),
        (RegionGroup(input_object_max_height=15), -1, [1, 3]),
        (RegionGroup(), 7, [0, 1, 2, 3]),
        (RegionGroup(), 8, []),
        (RegionGroup(process_on_roi=True, rois={0: ((0, 0, 50, 50),)}), -1, [0, 1]),
        (
            RegionGroup(process_on_roi=True, process_on_all_objects=True, rois={0: ((0, 0, 9, 9),)}),
            -1,
            [0, 1, 2, 3],
        ),
        (RegionGroup(src_ids=(3,)), -1, []),
    ],
)
def test_objects_are_chosen(group: RegionGroup, maker: int, rows: list[int]) -> None:
    batch = batch_of(0)
    boxes = [[0, 0, 20, 20], [10, 10, 30, 25], [40, 40, 80, 80], [-5, 85, 15, 99], [200, 0, 300, 50]]
    batch.frames[0].add_detections(Detections(boxes, class_id=[0, 1, 2, 3, 4]), component_id=7)
    found = RegionFinder(config_of(group, process_on_frame=False, operate_on_gie_id=maker)).find(batch)
    assert [region.row for region in found] == rows


def pattern(width: int = 160, height: int = 90) -> Frame:
    random = np.random.default_rng(5)
    small = random.integers(0, 255, (9, 16, 3), np.uint8)
    return Frame.from_array(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), "RGB")


def region(*box: float, key: tuple[int, int, int] = (0, 0, 0)) -> Region:
    return Region(0, (box[0], box[1], box[2], box[3]), key)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("color", [0, 1, 2])
def test_rows_hold_the_scaled_regions(order: int, color: int) -> None:
    channels = 1 if color == 2 else 3
    shape = (4, 24, 48, channels) if order else (4, channels, 24, 48)
    config = config_of(
        network_input_shape=shape, network_input_order=order, network_color_format=color, pixel_factor=0.5,
        offsets=(10.0, 20.0, 30.0),
    )  # fmt: skip
    frame = pattern()
    [made] = make_preparation(config).prepare(
        [Picture(frame, region(20, 10, 96, 48)), Picture(frame, region(0, 0, 48, 24))]
    )
    assert made.tensor.shape == (2, *shape[1:])
    picture = to_rgb(frame)[10:58, 20:116]
    small = cv2.resize(picture, (48, 24), interpolation=cv2.INTER_LINEAR)
    if color:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2BGR if color == 1 else cv2.COLOR_RGB2GRAY)
    expected = 0.5 * (small.reshape(24, 48, channels) - np.array((10, 20, 30), np.float32)[:channels])
    row = made.tensor[0] if order else made.tensor[0].transpose(1, 2, 0)
    np.testing.assert_allclose(row, expected, atol=0.51)


@pytest.mark.parametrize(("symmetric", "offset"), [(False, (0, 0)), (True, (12, 0))])
def test_aspect_is_kept_and_boxes_find_their_way_back(symmetric: bool, offset: tuple[int, int]) -> None:
    config = config_of(maintain_aspect_ratio=True, symmetric_padding=symmetric)
    [made] = make_preparation(config).prepare([Picture(pattern(), region(40, 20, 50, 50))])
    [placed] = made.rows
    assert (placed.placement.left, placed.placement.top) == offset
    assert placed.placement.size == (24, 24)
    padding = np.delete(made.tensor[0], np.s_[offset[0] : offset[0] + 24], axis=2)
    assert padding.max() == 0
    assert made.tensor[0].max() > 0
    meta = BatchMetadata.new(1)
    roi = RoiMetadata.of_row(meta, 0, placed.box, -1, placed.placement.scale, offset)
    whole = np.array([[offset[0], offset[1], offset[0] + 24, offset[1] + 24]], np.float32)
    assert roi.to_frame(whole).tolist() == [[40, 20, 90, 70]]


@pytest.mark.parametrize(
    ("number", "name"),
    list(enumerate(["float32", "uint8", "int8", "uint32", "int32", "int64", "uint64", "float16"])),
)
def test_every_number_type_is_filled(number: int, name: str) -> None:
    config = config_of(tensor_data_type=number, offsets=(128.0, 128.0, 128.0))
    frame = Frame.from_array(np.full((24, 48, 3), 28, np.uint8), "RGB")
    [made] = make_preparation(config).prepare([Picture(frame, region(0, 0, 48, 24))])
    assert made.tensor.dtype == np.dtype(name)
    assert set(made.tensor.ravel().tolist()) == {0 if name.startswith("u") else -100}


def test_a_picture_of_means_is_subtracted(tmp_path: Path) -> None:
    mean = np.full((24, 48, 3), (3, 2, 1), np.uint8)  # blue, green, red in the file's reading
    cv2.imwrite(str(tmp_path / "mean.ppm"), mean)
    frame = Frame.from_array(np.full((24, 48, 3), 10, np.uint8), "RGB")
    picture = Picture(frame, region(0, 0, 48, 24))
    config = config_of(mean_file=str(tmp_path / "mean.ppm"), pixel_factor=2.0)
    [made] = make_preparation(config).prepare([picture])
    assert made.tensor[0, :, 0, 0].tolist() == [18, 16, 14]
    with pytest.raises(ConfigError, match=r"mean\.ppm"):
        make_preparation(config_of(mean_file=str(tmp_path / "mean.ppm"), network_input_shape=(1, 3, 8, 8)))
    with pytest.raises(ConfigError, match="no picture"):
        make_preparation(config_of(mean_file=str(tmp_path / "none.ppm")))


def test_more_regions_than_the_network_takes_become_several_tensors() -> None:
    frame = pattern()
    made = make_preparation(config_of()).prepare([Picture(frame, region(i, i, 20, 20)) for i in range(9)])
    assert [len(one.tensor) for one in made] == [4, 4, 1]
    assert [placed.box[0] for one in made for placed in one.rows] == list(range(9))


def test_regions_of_yuv_start_at_even_pixels_and_say_so() -> None:
    frame = convert(pattern(), "NV12")
    [made] = make_preparation(config_of()).prepare([Picture(frame, region(21, 11, 40, 20))])
    assert made.rows[0].box == (20, 10, 41, 21)


def test_a_region_outside_the_frame_is_an_error() -> None:
    found = RegionFinder(config_of(RegionGroup(process_on_roi=True, rois={0: ((500, 0, 10, 10),)}))).find(
        batch_of(0)
    )
    with pytest.raises(FrameError, match="no pixel"):
        make_preparation(config_of()).prepare([Picture(pattern(), found[0])])


@pytest.mark.parametrize("shape", [(4, 3, 24, 47), (4, 1, 24, 48), (4, 24, 48, 3), (4, 3, 8, 24, 48)])
def test_a_shape_that_does_not_fit_is_named(shape: tuple[int, ...]) -> None:
    config = config_of(network_input_shape=shape, processing_width=48, processing_height=24)
    with pytest.raises(ConfigError, match=";".join(map(str, shape))):
        make_preparation(config)


def test_compiled_functions_are_refused_with_the_python_to_write() -> None:
    with pytest.raises(ConfigError, match=r"def MyPreparation\(pictures, regions, config\)"):
        make_preparation(
            config_of(custom_tensor_preparation_function="MyPreparation", custom_lib_path="libmine.so")
        )
    with pytest.raises(ConfigError, match="MyTransformation"):
        make_preparation(config_of(RegionGroup(custom_input_transformation_function="MyTransformation")))


PYTHON = """
import numpy as np

def prepare(pictures, regions, config):
    if config.user.get("mode") == "wait":
        return None
    if config.user.get("mode") == "fail":
        raise KeyError("gone")
    rows = np.stack(pictures).astype(np.float32).transpose(0, 3, 1, 2) + regions[0].box[0]
    return rows.astype(np.float64) if config.user.get("mode") == "double" else rows
"""


def python_config(folder: Path, mode: str = "") -> PreprocessConfig:
    path = write(folder, PYTHON, "own.py")
    return config_of(
        custom_lib_path=str(path),
        custom_tensor_preparation_function="prepare",
        user={"mode": mode},
        path=folder / "c",
    )


def test_a_users_function_makes_the_tensor(tmp_path: Path) -> None:
    frame = Frame.from_array(np.full((24, 48, 3), 10, np.uint8), "RGB")
    pictures = [Picture(frame, region(4, 4, 20, 20))]
    [made] = make_preparation(python_config(tmp_path)).prepare(pictures)
    assert set(made.tensor.ravel().tolist()) == {14}
    assert made.rows[0].box == (4, 4, 20, 20)
    assert make_preparation(python_config(tmp_path, "wait")).prepare(pictures) == []


@pytest.mark.parametrize(("mode", "message"), [("fail", "KeyError"), ("double", "float64")])
def test_what_a_users_function_does_wrong_is_said(tmp_path: Path, mode: str, message: str) -> None:
    preparation = make_preparation(python_config(tmp_path, mode))
    with pytest.raises(ModelError, match=rf"own\.py:prepare.*{message}"):
        preparation.prepare([Picture(pattern(), region(0, 0, 8, 8))])


def plain(value: int) -> Frame:
    return Frame.from_array(np.full((8, 8, 3), value, np.uint8), "RGB")


def sequences(
    frames: int, user: dict[str, str], shape: tuple[int, ...] = (4, 3, 3, 8, 8)
) -> list[list[float]]:
    """The numbers of the frames in each sequence, in the order in which they are complete."""
    config = config_of(
        network_input_shape=shape,
        user=user,
        custom_tensor_preparation_function="CustomSequenceTensorPreparation",
    )
    preparation = make_preparation(config)
    found = []
    for number in range(frames):
        for made in preparation.prepare([Picture(plain(number), region(0, 0, 8, 8))]):
            rows = (
                made.tensor
                if len(shape) == 5
                else made.tensor.reshape(-1, 3, 3, 8, 8).transpose(0, 2, 1, 3, 4)
            )
            found += [row[0, :, 0, 0].tolist() for row in rows]
    return found


@pytest.mark.parametrize("shape", [(4, 3, 3, 8, 8), (4, 9, 8, 8)])
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({}, [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
        ({"stride": "2"}, [[0, 1, 2], [2, 3, 4]]),
        ({"stride": "4", "subsample": "0"}, [[0, 1, 2], [4, 5, 6]]),
        ({"subsample": "1"}, [[0, 2, 4], [2, 4, 6]]),
    ],
)
def test_sequences_slide_over_the_frames(
    user: dict[str, str], expected: list, shape: tuple[int, ...]
) -> None:
    frames = {"2": 6, "4": 7}.get(user.get("stride", ""), 7 if "subsample" in user else 5)
    assert sequences(frames, user, shape) == expected


def test_channels_of_a_sequence_have_their_own_factors() -> None:
    user = {"channel-scale-factors": "0.5;1;2", "channel-mean-offsets": "1;2;3"}
    config = config_of(network_input_shape=(1, 3, 1, 8, 8), user=user)
    [made] = SequencePreparation(config).prepare([Picture(plain(11), region(0, 0, 8, 8))])
    np.testing.assert_allclose(made.tensor[0, :, 0, 0, 0], [5, 9, 16], rtol=1e-6)


def test_each_region_has_a_sequence_of_its_own_until_its_source_goes() -> None:
    preparation = SequencePreparation(config_of(network_input_shape=(4, 3, 2, 8, 8)))
    both = [Picture(plain(1), region(0, 0, 8, 8, key=(source, 0, 0))) for source in (0, 1)]
    assert preparation.prepare(both) == []
    preparation.forget(0)
    [made] = preparation.prepare(both)
    assert [placed.region.key[0] for placed in made.rows] == [1]
    [made] = preparation.prepare(both)
    assert [placed.region.key[0] for placed in made.rows] == [0, 1]


@pytest.mark.parametrize(
    ("user", "shape"),
    [
        ({"stride": "0"}, (1, 3, 2, 8, 8)),
        ({"channel-scale-factors": "1;2"}, (1, 3, 2, 8, 8)),
        ({"channel-scale-factors": "0;1;1"}, (1, 3, 2, 8, 8)),
        ({"channel-mean-offsets": "a;b;c"}, (1, 3, 2, 8, 8)),
        ({}, (1, 4, 8, 8)),
        ({}, (1, 1, 2, 8, 8)),
    ],
)
def test_sequences_that_cannot_be_made_are_named(user: dict[str, str], shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="|".join([*user, "network-input-shape"])):
        SequencePreparation(config_of(network_input_shape=shape, user=user))
