"""Programs around nvinfer: what they print is what they found."""

import re


def test_a_program_makes_its_own_objects_of_raw_outputs(run, assets):
    clip = assets / "samples/streams/sample_720p.mp4"
    lines, _ = run("own_objects.py", clip, clip)
    told = [
        re.fullmatch(r"frame (\d+) class (\d) ?(.*)", line) for line in lines if line.startswith("frame ")
    ]
    assert all(told)
    assert {int(one[1]) for one in told} >= set(range(20))
    cars = [one[3] for one in told if one[2] == "0"]
    assert len(cars) > 20
    assert all(cars), "every car has a label of the second model"
    assert not any(one[3] for one in told if one[2] != "0"), "the second model looks at cars only"
