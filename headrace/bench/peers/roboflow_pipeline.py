"""Roboflow's InferencePipeline with onnxruntime as its model: models of its own need an account."""

from inference import InferencePipeline
from plain import Plain, job

work, done = job()
detect = Plain(work["model"], tuple(work["size"]))
pipeline = InferencePipeline.init_with_custom_logic(
    video_reference=[work["clip"]] * work["streams"],
    on_video_frame=lambda frames: [detect(frame.image) for frame in frames],
    on_prediction=lambda found, frames: done(len(frames) if isinstance(frames, list) else 1),
)
pipeline.start()
pipeline.join()
