import pytest

from headrace.errors import ConfigError
from headrace.track import TrackerOptions, make_tracker, read_configuration, tracker_for

YAML = """\
%YAML:1.0
BaseConfig:
  minDetectorConfidence: 0.2   # comment
TargetManagement:
  maxTargetsPerStream: 150
  minIouDiff4NewTarget: 0.5
  probationAge: 4
  maxShadowTrackingAge: 38
  earlyTerminationAge: 1
  enableBboxUnClipping: 1
DataAssociator:
  checkClassMatch: 1
  minMatchingScore4Iou: 0.0
  tentativeDetectorConfidence: 0.2334
StateEstimator:
  stateEstimatorType: 2
  processNoiseVar4Loc: 2.0
VisualTracker:
  visualTrackerType: 2
"""


def read(tmp_path, text):
    path = tmp_path / "tracker.yml"
    path.write_text(text)
    return read_configuration(path).options


def test_known_keys_are_taken_from_any_section_and_the_rest_is_named_once(tmp_path, caplog):
    options = read(tmp_path, YAML)
    assert options == TrackerOptions(
        min_detector_confidence=0.2,
        max_targets=150,
        max_iou_new_target=0.5,
        probation_age=4,
        max_shadow_age=38,
        early_termination_age=1,
        check_class=True,
        min_iou=0,
        tentative_confidence=0.2334,
    )
    assert len(caplog.records) == 1
    assert "StateEstimator.processNoiseVar4Loc" in caplog.text
    assert "TargetManagement.enableBboxUnClipping" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "%YAML:1.0\nNvDCF:\n  probationAge: 7\n  useUniqueID: 1\n",
        "probationAge: 7\n",
        "---\nA: {probationAge: 7}",
    ],
)
def test_legacy_and_flat_files_do_not_fail(tmp_path, text):
    assert read(tmp_path, text).probation_age == 7


@pytest.mark.parametrize("text", ["", "%YAML:1.0\n", "TargetManagement:\n"])
def test_an_empty_file_means_the_defaults(tmp_path, text):
    assert read(tmp_path, text) == TrackerOptions()


@pytest.mark.parametrize(
    ("text", "needles"),
    [
        ("A: {probationAge: soon}", ["tracker.yml", "probationAge", "soon"]),
        ("A: {minMatchingScore4Iou: 3}", ["tracker.yml", "minMatchingScore4Iou", "3"]),
        ("A: [", ["tracker.yml", "YAML"]),
        ("- 1", ["tracker.yml", "TargetManagement"]),
    ],
)
def test_bad_values_are_named(tmp_path, text, needles):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert all(needle in str(caught.value) for needle in needles)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.yml"):
        read_configuration(tmp_path / "gone.yml")


@pytest.mark.parametrize(
    ("text", "tracker"),
    [
        (YAML, "dcf"),
        ("DataAssociator:\n  associationMatcherType: 0\nTargetManagement:\n  probationAge: 1\n", "iou"),
        ("DataAssociator: {associationMatcherType: 1}\nStateEstimator: {stateEstimatorType: 2}\n", "cascade"),
        (
            "ReID: {reidType: 1}\nStateEstimator: {stateEstimatorType: 2}\nVisualTracker: {visualTrackerType: 0}\n",
            "deepsort",
        ),
        ("NvDCF:\n  visualTrackerType: 1\n", "dcf"),
        ("tracker: botsort\nmax_shadow_age: 9\n", "botsort"),
        ("probationAge: 7\n", None),
        ("", None),
    ],
)
def test_the_modules_that_are_on_tell_which_tracker(tmp_path, text, tracker):
    path = tmp_path / "t.yml"
    path.write_text(text)
    found = read_configuration(path)
    assert found.tracker == tracker
    make_tracker(found.tracker or "cascade", found.options)


def test_our_own_configuration_is_short(tmp_path, caplog):
    assert read(tmp_path, "tracker: sort\nmax_shadow_age: 9\nunique_ids: true\n") == TrackerOptions(
        max_shadow_age=9, unique_ids=True
    )
    assert caplog.text == ""
    read(tmp_path, "max_shadow_ag: 9\n")
    assert "max_shadow_ag (did you mean max_shadow_age?)" in caplog.text


@pytest.mark.parametrize(
    ("library", "configured", "tracker"),
    [
        ("/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so", "deepsort", "deepsort"),
        ("/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so", None, None),
        ("libnvds_mot_iou.so", None, "iou"),
        ("", "sort", "sort"),
        ("/x/libmine.so", None, None),
    ],
)
def test_known_libraries_tell_which_tracker(library, configured, tracker):
    assert tracker_for(library, configured) == tracker
