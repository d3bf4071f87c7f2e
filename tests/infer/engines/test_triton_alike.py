"""A model on a server does what every engine does."""

import engine_models
import pytest
from kserve import KServe, Served
from test_engines_alike import (  # noqa: F401 - run here, with another `make`
    test_a_closed_engine_says_so,
    test_a_graph_of_open_size_takes_the_size_asked_for,
    test_an_engine_closed_during_runs_ends_them_with_results_or_an_error,
    test_every_row_gets_its_own_result,
    test_many_threads_get_their_own_results,
    test_results_are_the_callers_own,
    test_sixteen_bits_go_in,
    test_tensors_and_metadata_are_told,
    test_wrong_input_says_what_the_model_takes,
)


@pytest.fixture(params=["http", "grpc"])
def make(request, tmp_path):
    """``make(**options)`` puts the tiny model on a server and opens it there."""
    pytest.importorskip("onnx")
    if request.param == "grpc":
        pytest.importorskip("tritonclient.grpc")
    from headrace.infer.engines import EngineOptions, open_engine

    servers = []

    def open_tiny(batch="batch", size=32, half=False, metadata=None, **options):
        path = engine_models.onnx(tmp_path, batch, size, half)
        server = KServe(
            {path.name: Served.onnx(path, parameters=metadata or {})}, grpc=request.param == "grpc"
        )
        servers.append(server)
        return open_engine(server.url(path.name), options=EngineOptions(**options))

    open_tiny.engine = "triton"
    yield open_tiny
    for server in servers:
        server.stop()
