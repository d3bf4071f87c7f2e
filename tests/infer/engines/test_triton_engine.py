"""Models on a KServe v2 server, over HTTP and gRPC: graphs, arrays, faults, credentials."""

import logging
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

import certificates
import numpy as np
import pytest
from kserve import KServe, Refused, Served
from waiting import wait_until

from headrace.errors import ConfigError, ModelError
from headrace.infer.engines import open_engine, run_batch
from headrace.infer.engines.triton.address import AUTHORIZATION

SECRET = "tr0ub4dor"


@pytest.fixture(params=["http", "grpc"])
def kind(request):
    if request.param == "grpc":
        pytest.importorskip("tritonclient.grpc")
    return request.param


@pytest.fixture
def serve(kind):
    """Starts a server that speaks HTTP or gRPC."""
    servers = []

    def start(models, **options):
        servers.append(KServe(models, grpc=kind == "grpc", **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def twice(**values):
    """A model of open batch that doubles its input."""
    specs = [[name, "FP32", [-1, 3, 4, 4]] for name in ("images", "out")]
    return Served(specs[:1], specs[1:], lambda arrays: {"out": arrays["images"] * 2}, **values)


def echo(datatype, **values):
    specs = [[name, datatype, [-1, 5]] for name in ("x", "y")]
    return Served(specs[:1], specs[1:], lambda arrays: {"y": arrays["x"]}, **values)


def pictures(count):
    return np.arange(count * 48, dtype=np.float32).reshape(count, 3, 4, 4)


def test_a_served_model_gives_what_its_file_gives(serve, make_onnx, yolov8_outputs):
    path = make_onnx(yolov8_outputs)
    here = open_engine(path, "onnxruntime")
    there = open_engine(serve({"yolo": Served.onnx(path)}).url("yolo"))
    assert (there.name, there.graph.inputs, there.graph.outputs) == (
        "triton", here.graph.inputs, here.graph.outputs,
    )  # fmt: skip
    rows = np.random.default_rng(1).random((3, 3, 32, 32), np.float32)
    found = run_batch(there, rows)["output0"]
    np.testing.assert_array_equal(found, run_batch(here, rows)["output0"])
    found += 1  # the caller's own


def test_batches_beyond_the_servers_greatest_are_split(serve):
    server = serve({"m": twice(max_batch=4)})
    engine = open_engine(server.url("m"))
    np.testing.assert_array_equal(engine.run({"images": pictures(10)})["out"], pictures(10) * 2)
    assert [shape[0] for _, _, shape in server.seen] == [4, 4, 2]


@pytest.mark.parametrize("triton", [True, False])
@pytest.mark.parametrize("binary", [True, False])
def test_servers_without_tritons_extensions(serve, triton, binary):
    engine = open_engine(serve({"m": twice()}, triton=triton and binary, binary=binary).url("m"))
    for count in (2, 3):
        np.testing.assert_array_equal(engine.run({"images": pictures(count)})["out"], pictures(count) * 2)


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float64"]
)  # fmt: skip
def test_number_types(serve, dtype):
    from headrace.infer.engines.triton.tensors import DATATYPES

    engine = open_engine(serve({"m": echo(DATATYPES[dtype])}).url("m"))
    assert engine.graph.inputs[0].dtype == dtype
    given = np.array([[0, 1, 2, 100, 3]]).astype(dtype)
    found = engine.run({"x": given})["y"]
    assert found.dtype == given.dtype
    np.testing.assert_array_equal(found, given)


def test_bfloat16_is_float32_here(serve):
    engine = open_engine(serve({"m": echo("BF16")}).url("m"))
    assert engine.graph.inputs[0].dtype == engine.graph.outputs[0].dtype == "float32"
    found = engine.run({"x": np.array([[0, 1, -2.5, 3.14159265, 1e30]], np.float32)})["y"]
    np.testing.assert_allclose(found, [[0, 1, -2.5, 3.140625, 1e30]], rtol=4e-3)
    assert found[0, 3] == 3.140625


@pytest.mark.parametrize("binary", [True, False])
def test_texts_come_as_bytes(serve, binary):
    texts = np.array([[b"", b"caf\xc3\xa9"]], object)
    model = Served([["x", "FP32", [1, 1]]], [["t", "BYTES", [1, 2]]], lambda _: {"t": texts})
    found = open_engine(serve({"m": model}, binary=binary, triton=binary).url("m")).run(
        {"x": np.zeros((1, 1), np.float32)}
    )
    assert found["t"].tolist() == [[b"", b"caf\xc3\xa9"]]


def test_metadata_are_the_parameters_of_the_configuration(serve):
    engine = open_engine(serve({"m": twice(parameters={"names": "['a']", "imgsz": "[4, 4]"})}).url("m"))
    assert engine.graph.metadata == {"names": "['a']", "imgsz": "[4, 4]"}


def classes(labels, datatype="FP32", size=4):
    rows = {"prob": np.array([[0.1, 0.7, 0.2]], np.float32)}
    return Served(
        [["x", datatype, [-1, 3, size, size]]], [["prob", "FP32", [-1, 3]]], lambda _: rows, labels=labels
    )


@pytest.mark.parametrize(
    ("labels", "names"), [(["a", "b: c", "d"], ["a", "b: c", "d"]), (["a"], ["a", "class 1", "class 2"])]
)
def test_class_names_of_the_servers_label_file(serve, labels, names):
    server = serve({"m": classes({"prob": labels}, "FP16")})
    graph = open_engine(server.url("m")).graph
    assert graph.metadata["names"] == repr(names)


def test_a_model_whose_names_cannot_be_had_works_without(serve, caplog):
    server = serve({"m": classes({"prob": ["a", "b", "c"]}, size=-1), "n": classes({"prob": ["a"]})})
    assert open_engine(server.url("m")).graph.metadata == {}
    assert "names of the classes cannot be had from the server: input x float32[?, 3, ?, ?]" in caplog.text
    server.faults.append("error")
    assert open_engine(server.url("n")).graph.metadata == {}
    assert "the backend fell over" in caplog.text


def test_versions(serve):
    server = serve({"m": twice(version="3")})
    assert open_engine(server.url("m/3")).graph.path == server.url("m/3")
    with pytest.raises(ModelError, match=r"m/2 cannot be used: .*the server has it as version 3 READY"):
        open_engine(server.url("m/2"))


def test_unknown_models_list_what_there_is(serve):
    server = serve({"a": twice(), "b": twice()})
    with pytest.raises(ModelError, match=r"/c cannot be used: Request for unknown.*the server has a, b$"):
        open_engine(server.url("c"))
    server.triton = False
    with pytest.raises(
        ModelError, match=r"/c cannot be used.*; check the model's name, and that this is a KServe"
    ):
        open_engine(server.url("c"))


def test_a_model_that_is_not_ready(serve):
    server = serve({"m": twice(ready=False)})
    with pytest.raises(ModelError, match=r"m cannot be used: .*the server has it as version 1 UNAVAILABLE"):
        open_engine(server.url("m"))


def test_what_the_metadata_do_not_tell_is_said_by_the_server(serve):
    def run(arrays):
        raise Refused(400, "INVALID_ARGUMENT", "a multiple of 32\nis needed")

    specs = [[name, "FP32", [-1, 3, -1, -1]] for name in ("images", "out")]
    engine = open_engine(serve({"m": Served(specs[:1], specs[1:], run)}).url("m"))
    with pytest.raises(
        ModelError,
        match=r"m failed on images float32\[1, 3, 4, 4\] on the server: a multiple of 32 is needed",
    ):
        engine.run({"images": pictures(1)})


def test_a_lost_connection_is_tried_once_more(serve, caplog):
    server = serve({"m": twice()})
    engine = open_engine(server.url("m"))
    server.faults.append("drop")
    with caplog.at_level(logging.INFO):
        np.testing.assert_array_equal(engine.run({"images": pictures(1)})["out"], pictures(1) * 2)
    assert "asking once more" in caplog.text
    server.faults.extend(["drop", "drop"])
    with pytest.raises(ModelError, match=r"m did not answer, asked twice: .*server's log"):
        engine.run({"images": pictures(1)})
    assert engine.run({"images": pictures(1)})["out"].shape == (1, 3, 4, 4)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error", r"m failed on images float32\[1, 3, 4, 4\] on the server: the backend fell over"),
        ("short", r"m failed on .*: the server's answer is damaged: .*188 bytes for .*FP32"),
    ],
)
def test_faults_of_the_server_are_told(serve, fault, words):
    server = serve({"m": twice()})
    engine = open_engine(server.url("m"))
    server.faults.append(fault)
    with pytest.raises(ModelError, match=words):
        engine.run({"images": pictures(1)})
    np.testing.assert_array_equal(engine.run({"images": pictures(1)})["out"], pictures(1) * 2)


def test_a_server_that_is_busy_loading(serve):
    server = serve({"m": twice()})
    engine = open_engine(server.url("m"))
    server.faults.extend(["unavailable"] * 2)
    with pytest.raises(
        ModelError,
        match=r"m did not answer, asked twice: the model is being loaded \((HTTP 503|gRPC UNAVAILABLE)\)",
    ):
        engine.run({"images": pictures(1)})


@contextmanager
def within(engine, seconds):
    """As if the URL had told this time limit, but for these requests only: others may need longer on a busy machine."""
    transport, usual = engine._transport, engine._address

    def limit(address):
        engine._address = transport._address = address
        for connection in getattr(transport, "_idle", ()):
            connection.sock.settimeout(address.timeout)

    limit(replace(usual, timeout=seconds))
    yield
    limit(usual)


def test_a_slow_server_runs_into_the_time_limit(serve):
    server = serve({"m": twice()})
    engine = open_engine(server.url("m", extra="?timeout=60"))
    server.faults.append("slow")
    with (
        within(engine, 0.2),
        pytest.raises(ModelError, match=r"m has not answered within 0\.2 s; .*\?timeout=SECONDS"),
    ):
        engine.run({"images": pictures(1)})
    np.testing.assert_array_equal(engine.run({"images": pictures(1)})["out"], pictures(1) * 2)


def test_a_restarted_server_goes_on(serve):
    server = serve({"m": twice()})
    engine = open_engine(server.url("m"))
    server.stop()
    with pytest.raises(
        ModelError, match=r"m (is not available|did not answer): .*check that .*(server runs|port)"
    ):
        engine.run({"images": pictures(1)})
    server.start()
    wait_until(lambda: works(engine))


def works(engine):
    try:
        return engine.run({"images": pictures(1)})["out"].shape == (1, 3, 4, 4)
    except ModelError:
        return False


def test_a_restart_between_two_requests_goes_unnoticed():
    server = KServe({"m": twice()})
    try:
        engine = open_engine(server.url("m"))
        for _ in range(3):
            server.stop()
            server.start()
            np.testing.assert_array_equal(engine.run({"images": pictures(1)})["out"], pictures(1) * 2)
    finally:
        server.stop()


def test_no_server(kind):
    server = KServe({}, grpc=kind == "grpc")
    server.stop()
    with pytest.raises(
        ModelError, match=r"m is not available: .*refused.*check that the server runs, and host and port"
    ):
        open_engine(server.url("m"))


def test_the_other_protocols_port(kind):
    pytest.importorskip("tritonclient.grpc")
    server = KServe({"m": twice()}, grpc=True)
    try:
        port = server.http_port if kind == "grpc" else server.grpc_port
        with pytest.raises(
            ModelError, match=r"this is gRPC|check that the port is one for HTTP|not that of a KServe"
        ):
            open_engine(f"{kind}://127.0.0.1:{port}/m?connect-timeout=1")
    finally:
        server.stop()


def test_calls_of_several_threads_overlap(serve):
    model = twice()
    engine = open_engine(serve({"m": model}).url("m", extra="?timeout=60"))
    found, double, all_there = {}, model.run, threading.Barrier(4)
    model.run = lambda arrays: all_there.wait(50) >= 0 and double(arrays)

    def call(number):
        found[number] = engine.run({"images": pictures(4)[number : number + 1]})["out"]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        np.testing.assert_array_equal(found[number][0], pictures(4)[number] * 2)


@pytest.mark.parametrize("place", ["environment", "url"])
def test_credentials_reach_the_server_and_nobody_else(serve, monkeypatch, caplog, place):
    server = serve(
        {"m": twice()}, token="Bearer " + SECRET if place == "environment" else "Basic bWU6dHIwdWI0ZG9y"
    )
    url = server.url("m")
    with pytest.raises(ModelError, match=f"refuses access: wrong or missing token .*{AUTHORIZATION}"):
        open_engine(url)
    if place == "environment":
        monkeypatch.setenv(AUTHORIZATION, f"Bearer {SECRET}")
    else:
        url = url.replace("://", f"://me:{SECRET}@")
    caplog.set_level(logging.DEBUG)
    engine = open_engine(url)
    said = [engine.graph.path, repr(engine.graph)]
    server.faults.extend(["echo", "error", "drop", "drop"])
    for _ in range(3):
        with pytest.raises(ModelError) as caught:
            engine.run({"images": pictures(1)})
        said += [str(caught.value), repr(caught.value.__cause__)]
    assert "what is" in said[2]
    for text in (*said, caplog.text):
        assert SECRET not in text
        assert "bWU6" not in text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return certificates.certificate(tmp_path_factory.mktemp("tls"))


def test_encrypted_connections(serve, certificate, monkeypatch):
    url = serve({"m": twice()}, tls=certificate).url("m")
    assert url.startswith(("https://", "grpcs://"))
    with pytest.raises(ModelError, match=r"m is not available: .*(certificate|CERTIFICATE)"):
        open_engine(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    np.testing.assert_array_equal(open_engine(url).run({"images": pictures(1)})["out"], pictures(1) * 2)
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    with pytest.raises(ModelError, match=r"SSL_CERT_FILE"):
        open_engine(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"http://me:{SECRET}@/m", "does not name host and model; write grpc://"),
        (f"http://me:{SECRET}@h:x/m", "is not understood; write grpc://"),
        (f"http://me:{SECRET}@h", "does not name host and model"),
        (f"grpc://me:{SECRET}@h/a/b/c", "does not name host and model"),
        (
            f"grpc://me:{SECRET}@h/m?key={SECRET}",
            "has an unknown option key; known: timeout, connect-timeout",
        ),
        (f"grpc://me:{SECRET}@h/m?timeout=-1", "timeout is '-1'; give seconds, more than 0"),
        (f"ftp://me:{SECRET}@h/m", "no engine takes addresses that begin with ftp://; known: http://"),
    ],
)
def test_urls_that_are_not_understood_keep_their_secrets(url, words):
    with pytest.raises(ModelError, match=words) as caught:
        open_engine(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize("value", [f"Bearer {SECRET}\nX: 1", f"Bearer {SECRET}é"])
def test_a_header_that_cannot_be_sent_is_not_quoted(kind, monkeypatch, value):
    monkeypatch.setenv(AUTHORIZATION, value)
    with pytest.raises(ModelError, match=f"{AUTHORIZATION} is no header's value") as caught:
        open_engine(f"{kind}://127.0.0.1:1/m")
    assert SECRET not in str(caught.value)


def test_http_urls_may_be_the_protocols_own():
    from headrace.infer.engines.triton.address import parse_url

    address = parse_url("https://gate.way/ns/v2/models/yolo%20x/versions/3/infer?timeout=3&connect-timeout=1")
    assert (address.prefix, address.model, address.version, address.port) == ("/ns", "yolo x", "3", 443)
    assert (address.timeout, address.connect_timeout) == (3, 1)
    assert str(address) == "https://gate.way:443/ns/yolo%20x/3"
    assert parse_url("grpc://[::1]/m").server == "grpc://[::1]:8001"


def test_half_an_answer_is_asked_for_again():
    server = KServe({"m": twice()})
    try:
        engine = open_engine(server.url("m"))
        server.faults.append("half")
        np.testing.assert_array_equal(engine.run({"images": pictures(1)})["out"], pictures(1) * 2)
        server.faults.extend(["half", "half"])
        with pytest.raises(ModelError, match="broke off after"):
            engine.run({"images": pictures(1)})
    finally:
        server.stop()


def test_the_libraries_of_grpc_are_loaded_for_grpc_only():
    code = (
        "import sys, headrace.infer.engines.triton_engine, headrace.infer.engines.triton.http\n"
        "sys.exit(any(name in sys.modules for name in ('grpc', 'tritonclient', 'gevent')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_library_the_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)
    monkeypatch.delitem(sys.modules, "headrace.infer.engines.triton.grpc", raising=False)
    with pytest.raises(ModelError, match=r"pip install 'headrace\[triton\]'"):
        open_engine("grpc://127.0.0.1:1/m")


def test_nothing_is_saved_beside_a_url():
    from headrace.infer.files.sidecar import write_sidecar

    with pytest.raises(ConfigError, match="a model on a server has no folder") as caught:
        write_sidecar(f"http://me:{SECRET}@h/m", {})
    assert SECRET not in str(caught.value)


def test_a_file_url_is_a_file(make_onnx, yolov8_outputs):
    from headrace.infer import InferOptions, load_model

    path = make_onnx(yolov8_outputs)
    assert load_model(f"file://{path}", InferOptions()).labels == ("class 0", "class 1")
