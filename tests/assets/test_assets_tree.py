"""What is in the tree, and that the project's own readers take it."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from headrace.assets import texts, writer
from headrace.assets.streams import CLIPS
from headrace.assets.writer import write_assets
from headrace.errors import ConfigError, HeadraceError
from headrace.infer.nvinfer.reading import read_config
from headrace.keyfile import read_groups
from headrace.message.config import MsgConvConfig
from headrace.paths import resolve
from headrace.track.lowlevel import read_configuration

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = "/opt/nvidia/deepstream/deepstream"
#: Files that public programs and their configurations name.
NAMED = """
lib/libnvds_nvmultiobjecttracker.so lib/libnvds_kafka_proto.so lib/gst-plugins/libcustom2d_preprocess.so
lib/libnvds_infercustomparser.so
samples/models/Primary_Detector/resnet18_trafficcamnet_pruned.onnx samples/models/Primary_Detector/labels.txt
samples/models/Secondary_VehicleMake/resnet18_vehiclemakenet_pruned.onnx
samples/models/Secondary_VehicleMake/labels.txt samples/models/Secondary_VehicleTypes/labels.txt
samples/models/Secondary_VehicleTypes/resnet18_vehicletypenet_pruned.onnx
samples/models/tao_pretrained_models/peopleNet/resnet34_peoplenet_int8.onnx
samples/configs/tao_pretrained_models/labels_peoplenet.txt
samples/configs/deepstream-app/config_infer_primary.yml
samples/configs/deepstream-app/config_infer_secondary_vehicletypes.yml
samples/configs/deepstream-app/config_infer_secondary_vehiclemake.yml
samples/configs/deepstream-app/config_tracker_IOU.yml samples/configs/deepstream-app/config_tracker_NvSORT.yml
samples/configs/deepstream-app/config_tracker_NvDCF_perf.yml
samples/configs/deepstream-app/config_tracker_NvDCF_accuracy.yml
samples/configs/deepstream-app/config_tracker_NvDeepSORT.yml
samples/trtis_model_repo/ssd_inception_v2_coco_2018_01_28/labels.txt
samples/trtis_model_repo/ssd_inception_v2_coco_2018_01_28/1/model.onnx
samples/models/Segmentation/semantic/unetres18_v4_pruned0.65_800_data.onnx
samples/models/Segmentation/industrial/unet_output_graph.onnx
sources/apps/sample_apps/deepstream-3d-action-recognition/config_infer_primary_3d_action.txt
sources/apps/sample_apps/deepstream-3d-action-recognition/config_preprocess_3d_custom.txt
samples/streams/sonyc_mixed_audio.wav
samples/streams/sample_720p.h264 samples/streams/sample_720p.mp4 samples/streams/sample_720p.jpg
samples/streams/sample_1080p_h264.mp4 samples/streams/sample_walk.mov samples/streams/sample_ride_bike.mov
samples/streams/sample_run.mov samples/streams/sample_push.mov
sources/apps/sample_apps/deepstream-test1/dstest1_pgie_config.yml
sources/apps/sample_apps/deepstream-test1/dstest1_pgie_config.txt
sources/apps/sample_apps/deepstream-test1/dstest1_pgie_nvinferserver_config.txt
sources/apps/sample_apps/deepstream-test2/dstest2_pgie_config.yml
sources/apps/sample_apps/deepstream-test2/dstest2_sgie1_config.yml
sources/apps/sample_apps/deepstream-test2/dstest2_sgie2_config.yml
sources/apps/sample_apps/deepstream-test3/dstest3_pgie_config.yml
sources/apps/sample_apps/deepstream-test4/dstest4_pgie_config.yml
sources/apps/sample_apps/deepstream-test4/dstest4_msgconv_config.yml
sources/apps/sample_apps/deepstream-test5/configs/dstest5_msgconv_sample_config.txt
sources/apps/sample_apps/deepstream-nvdsanalytics-test/nvdsanalytics_pgie_config.txt
sources/apps/sample_apps/deepstream-nvdsanalytics-test/config_nvdsanalytics.txt
sources/libs/kafka_protocol_adaptor/cfg_kafka.txt
service-maker/sources/apps/python/pipeline_api/deepstream_test5_app/source_list_dynamic.yaml
"""
CONFIGS = sorted(
    place for place in texts.files() if re.search(r"(config_infer|pgie|sgie).*\.(txt|yml)$", place)
)
CONFIGS = [place for place in CONFIGS if "server" not in place and "triton" not in place]
MESSAGES = [place for place in texts.files() if "msgconv" in place and place.startswith("sources")]
TRACKERS = [place for place in texts.files() if "config_tracker_" in place]


@pytest.mark.parametrize("place", NAMED.split())
def test_a_file_that_programs_name_is_found(tree, monkeypatch, place):
    monkeypatch.setenv("HEADRACE_ASSETS", str(tree))
    assert resolve(f"{INSTALLED}/{place}").stat().st_size > 0


@pytest.mark.parametrize("place", CONFIGS)
def test_inference_configurations_name_files_of_the_tree(tree, place):
    keys = read_groups(tree / place)["property"]
    folder = (tree / place).parent
    assert (folder / keys["onnx-file"]).is_file()
    labels = (folder / keys["labelfile-path"]).read_text()
    if keys["network-type"] == "0":
        assert len(labels.splitlines()) == int(keys["num-detected-classes"])


@pytest.mark.parametrize("place", CONFIGS)
def test_inference_configurations_are_read_without_a_complaint(tree, place, caplog):
    config = read_config(tree / place)
    assert (tree / place).parent.samefile(config.path.parent)
    assert not caplog.records


def test_key_file_and_yaml_say_the_same(tree):
    for place in texts.files():
        other = (tree / place).with_suffix(".yml")
        if place.endswith(".txt") and other.exists():
            assert read_groups(tree / place) == read_groups(other), place


@pytest.mark.parametrize("place", TRACKERS)
def test_every_tracker_setting_has_an_effect(tree, place, caplog):
    options = read_configuration(tree / place).options
    assert options.probation_age == 2
    assert not caplog.records


@pytest.mark.parametrize("place", MESSAGES)
def test_message_configurations_name_sensors(tree, place, caplog):
    caplog.set_level(logging.WARNING)
    config = MsgConvConfig.load(tree / place)
    assert config.sensor(0).id == "junction-cam-1"
    assert not caplog.records


def test_source_lists_name_clips_of_the_tree(tree, monkeypatch):
    monkeypatch.setenv("HEADRACE_ASSETS", str(tree))
    for path in tree.glob("service-maker/**/source_list*.yaml"):
        for source in yaml.safe_load(path.read_text())["source-list"]:
            assert resolve(source["uri"]).is_file(), path


def test_a_second_run_makes_only_what_is_missing(tree, tmp_path):
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy)
    labels, clip = (
        copy / "samples/models/Primary_Detector/labels.txt",
        copy / "samples/streams/sample_walk.mov",
    )
    labels.write_text("mine\n")
    clip.unlink()
    lines = []
    write_assets(copy, 0.2, tell=lines.append)
    assert lines == ["samples/streams/sample_walk.mov"]
    assert labels.read_text() == "mine\n"
    assert not list(copy.rglob(".*.part"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file.* cannot be written: Not a directory"):
        write_assets(tmp_path / "file")


def test_a_missing_encoder_is_named(tree, monkeypatch):
    monkeypatch.setattr(writer, "missing_encoder", lambda codec: f"no {codec} encoder: apt install it")
    with pytest.raises(HeadraceError, match="no h264 encoder: apt install it"):
        write_assets(tree)


def test_without_an_h265_encoder_the_rest_is_made(tree, tmp_path, monkeypatch):
    copy = tmp_path / "tree"
    shutil.copytree(tree, copy)
    for name in CLIPS[0].files:
        (copy / "samples/streams" / name).unlink()
    monkeypatch.setattr(writer, "missing_encoder", lambda codec: "no encoder" if codec == "h265" else "")
    lines = []
    write_assets(copy, 0.2, tell=lines.append)
    assert lines == [
        "samples/streams/sample_1080p_h265.mp4 is left out: no encoder",
        "samples/streams/sample_1080p_h264.mp4",
    ]


def command(*words):
    """Run ``headrace assets``."""
    code = "from headrace.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "assets", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_what_to_do_next(tree, seconds):
    done = command(tree, "--seconds", seconds)
    assert done.returncode == 0
    assert done.stdout.strip() == f"complete; next: headrace run-app --assets {tree} PROGRAM"
    assert done.stderr == ""


def test_the_command_ends_with_a_line_where_it_cannot_write(tmp_path):
    (tmp_path / "file").write_text("")
    done = command(tmp_path / "file")
    assert done.returncode == 2
    assert re.fullmatch(r"error: .*/file/.* cannot be written: Not a directory\n", done.stderr)
