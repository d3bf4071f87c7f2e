"""Small pipelines for tests of pipelines themselves."""

import threading

from headrace.flow import Pipeline


def play(pipeline, on_message=None, limit=60.0, **waiting):
    """Start a pipeline and wait for its end, which must come within the limit."""
    pipeline.start(on_message)
    finish(pipeline, limit, **waiting)


def finish(pipeline, limit=60.0, **waiting):
    """Wait for the end, which must come within the limit."""
    caught = []

    def wait():
        try:
            pipeline.wait(**waiting)
        except Exception as error:  # noqa: BLE001 - handed to the test
            caught.append(error)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(limit)
    assert not thread.is_alive(), "the pipeline hangs"
    if caught:
        raise caught[0]


def chain(pipeline, *elements):
    """Elements ``(factory, properties)`` in a row, named by their factories."""
    for factory, properties in elements:
        pipeline.add(factory, factory, properties)
    return pipeline.link(*(factory for factory, _ in elements))


def frames(count=3, *between, kind=Pipeline, sink=("fakesink", {"sync": False})):
    """A muxer behind a small scene, elements named by their factories, and a sink named ``sink``."""
    pipeline = kind("test")
    pipeline.add("hrsimsrc", "source", {"scene": f"sim://plaza?frames={count}&width=64&height=48"})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1})
    for factory, properties in between:
        pipeline.add(factory, factory, properties)
    pipeline.add(sink[0], "sink", sink[1])
    pipeline.link(("source", "mux"), ("", "sink_%u"))
    return pipeline.link("mux", *(factory for factory, _ in between), "sink")
