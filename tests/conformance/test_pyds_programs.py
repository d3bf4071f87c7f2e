"""Programs in the older bindings: pad probes of PyGObject and ``import pyds``."""

import re

CONFIG = "/opt/nvidia/deepstream/deepstream/samples/configs/deepstream-app/config_infer_primary.txt"
LIBRARY = "/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so"


def test_objects_are_counted_tracked_and_drawn(run, assets):
    lines, errors = run("pyds_counting.py", assets / "samples/streams/sample_720p.h264", CONFIG, LIBRARY)
    counted = [re.fullmatch(r"frame (\d+) objects (\d+) tracked (\d+)", line) for line in lines]
    frames = [tuple(map(int, one.groups())) for one in counted if one]
    assert [number for number, _, _ in frames] == list(range(len(frames)))
    assert len(frames) >= 20
    assert max(objects for _, objects, _ in frames) > 3
    assert max(tracked for _, _, tracked in frames) > 3
    pictures = [line for line in lines if line.startswith("picture")]
    assert len(pictures) == len(frames)
    assert pictures[-1] == f"picture {len(frames) - 1} (720, 1280, 4) blue"
    assert not any("Traceback" in line for line in errors)
