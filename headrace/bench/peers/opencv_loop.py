"""OpenCV reads, onnxruntime detects; a thread for each stream."""

from plain import Plain, in_threads, job, pictures

work, done = job()
detect = Plain(work["model"], tuple(work["size"]))


def stream() -> None:
    """One stream to its end."""
    for picture in pictures(work["clip"]):
        detect(picture)
        done()


in_threads(stream, work["streams"])
