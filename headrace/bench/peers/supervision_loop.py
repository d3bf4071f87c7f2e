"""The supervision library: its frames, detections and tracker around onnxruntime; a thread for each stream."""

import supervision as sv
from plain import Plain, in_threads, job
from trackers import ByteTrackTracker

work, done = job()
detect = Plain(work["model"], tuple(work["size"]))


def stream() -> None:
    """One stream to its end."""
    tracker = ByteTrackTracker()
    for picture in sv.get_video_frames_generator(work["clip"]):
        boxes, scores, classes = detect(picture)
        tracker.update(sv.Detections(xyxy=boxes, confidence=scores, class_id=classes))
        done()


in_threads(stream, work["streams"])
