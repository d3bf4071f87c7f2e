"""What a user can set on a tracker."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TrackerOptions(BaseModel):
    """Settings of a tracker; immutable, checked when built, ages in frames of the source.

    Each field has a second spelling, its alias, which is the key of DeepStream's low-level tracker YAML where
    that has one (contract: nvtracker low-level YAML). Both spellings are accepted.

    Raises:
        pydantic.ValidationError: A field is unknown or out of its range.

    Example:
        >>> TrackerOptions(maxShadowTrackingAge=10).max_shadow_age
        10
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    min_detector_confidence: float = Field(
        default=0.1,
        ge=0,
        le=1,
        validation_alias="minDetectorConfidence",
        description="Detections below this are ignored.",
    )
    tentative_confidence: float = Field(
        default=0.25,
        ge=0,
        le=1,
        validation_alias="tentativeDetectorConfidence",
        description="Detections below this may only prolong a track, in a second round of matching.",
    )
    new_target_confidence: float = Field(
        default=0.25,
        ge=0,
        le=1,
        validation_alias="newTargetConfidence",
        description="Detections below this start no track.",
    )
    min_iou: float = Field(
        default=0.25,
        ge=0,
        le=1,
        validation_alias="minMatchingScore4Iou",
        description="Least IoU of track and detection to match.",
    )
    min_tentative_iou: float = Field(
        default=0.3,
        ge=0,
        le=1,
        validation_alias="minMatchingScore4TentativeIou",
        description="Least IoU in the second round, for detections below tentative_confidence.",
    )
    max_iou_new_target: float = Field(
        default=1.0,
        ge=0,
        le=1,
        validation_alias="minIouDiff4NewTarget",
        description="A detection that overlaps a tracked object by more than this IoU starts no track.",
    )
    check_class: bool = Field(
        default=True,
        validation_alias="checkClassMatch",
        description="Objects of different classes are never matched.",
    )
    probation_age: int = Field(
        default=1,
        ge=0,
        le=1000,
        validation_alias="probationAge",
        description="Matched frames after the first before a track is reported.",
    )
    early_termination_age: int = Field(
        default=1,
        ge=1,
        le=1000,
        validation_alias="earlyTerminationAge",
        description="Missed frames after which a track still on probation is dropped.",
    )
    max_shadow_age: int = Field(
        default=25,
        ge=0,
        le=100_000,
        validation_alias="maxShadowTrackingAge",
        description="Missed frames after which a track is dropped; it keeps its id when found again before.",
    )
    bridge_age: int = Field(
        default=1,
        ge=0,
        le=1000,
        validation_alias="bridgeAge",
        description="Missed frames through which an object seen ten times is still reported, at its prediction.",
    )
    max_targets: int = Field(
        default=4096,
        ge=1,
        le=100_000,
        validation_alias="maxTargetsPerStream",
        description="Most tracks of one source at a time.",
    )
    min_tracker_confidence: float = Field(
        default=0.2,
        ge=0,
        le=1,
        validation_alias="minTrackerConfidence",
        description="Below this a tracker that follows objects in pixels has lost one.",
    )
    output_shadow: bool = Field(
        default=False,
        validation_alias="outputShadowTracks",
        description="Also tell of tracks without a detection, at their prediction.",
    )
    output_terminated: bool = Field(
        default=False,
        validation_alias="outputTerminatedTracks",
        description="Tell of tracks that have ended, with their latest frames.",
    )
    past_frames: bool = Field(
        default=False,
        validation_alias="enablePastFrame",
        description="When an object is reported, tell of the frames before in which it was not.",
    )
    trajectory_length: int = Field(
        default=30,
        ge=1,
        le=100_000,
        validation_alias="maxTrajectoryBufferLength",
        description="Most frames of a track that are told of.",
    )
    unique_ids: bool = Field(
        default=False,
        validation_alias="useUniqueID",
        description="The upper 32 bits of ids are a random number, another one for each source and run.",
    )

    @property
    def remembers(self) -> bool:
        """Whether something is to be told of other frames than the present one."""
        return self.output_shadow or self.output_terminated or self.past_frames
