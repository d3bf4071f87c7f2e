"""headrace run-app: a program runs as Python would run it, with DeepStream's modules and folders at hand."""

import os
import signal
import subprocess
import sys

import pytest
from apps import ROOT, environment, run_app, start_app, write

HERE = "/opt/nvidia/deepstream/deepstream"


def test_it_is_main_in_its_own_folder(tmp_path):
    folder = tmp_path / "program"
    folder.mkdir()
    write(folder, "VALUE = 'from beside it'", "neighbour.py")
    app = write(
        folder,
        """
        import os, sys
        import neighbour, pyservicemaker
        print(__name__, sys.argv[1:], os.path.samefile(sys.path[0], os.path.dirname(__file__)), neighbour.VALUE)
        print(os.getcwd() == sys.argv[-1], sys.modules["__main__"].os is os, pyservicemaker.__version__)
    """,
    )
    done = run_app(app, "--help", "-x", tmp_path, cwd=tmp_path)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert first == f"__main__ ['--help', '-x', '{tmp_path}'] True from beside it"
    assert second == "True True 0.0.1"


@pytest.mark.parametrize(
    ("body", "code", "error"),
    [
        ("", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('that is all')", 1, "that is all\n"),
        ("raise OSError(32, 'broken')", 1, None),
        ("def f():\n    return 1 / 0\nf()", 1, None),
        ("a = = 1", 1, None),
    ],
)
def test_exit_codes_and_tracebacks_are_the_programs_own(tmp_path, body, code, error):
    app = write(tmp_path, body)
    done = run_app(app)
    assert done.returncode == code
    plain = subprocess.run([sys.executable, str(app)], capture_output=True, text=True, check=False)
    assert done.stderr == plain.stderr if error is None else done.stderr == error


def test_a_program_that_is_not_there_and_a_folder_that_is_not(tmp_path):
    done = run_app(tmp_path / "none.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: program ")
    done = run_app(write(tmp_path, ""), options=["--assets", tmp_path / "none"])
    assert done.returncode == 2
    assert "is no folder" in done.stderr


OPENS = f"""
import glob, io, os, pathlib, shutil, sys
from multiprocessing import get_context
root = "{HERE}"

def look():
    assert open(f"{{root}}/samples/labels.txt").read() == "car"
    assert io.open("{HERE}-9.1/samples/labels.txt").read() == "car"
    assert os.path.exists(root) and os.path.isdir(f"{{root}}/samples")
    assert os.path.isfile(f"{{root}}/samples/labels.txt")
    assert os.stat(f"{{root}}/samples/labels.txt").st_size == 3
    assert os.listdir(f"{{root}}/samples") == ["labels.txt"]
    assert [entry.name for entry in os.scandir(root)] == ["samples"]
    assert [names for _, _, names in os.walk(f"{{root}}/samples")] == [["labels.txt"]]
    path = pathlib.Path(root) / "samples" / "labels.txt"
    assert path.read_text() == "car" and path.exists() and [p.name for p in path.parent.iterdir()] == ["labels.txt"]
    assert len(glob.glob(f"{{root}}/samples/*.txt")) == 1
    assert not os.path.exists(f"{{root}}/nothing") and not os.path.exists("/opt/nvidia/elsewhere")

if __name__ == "__main__":
    look()
    child = get_context("fork").Process(target=look)
    child.start(); child.join()
    assert child.exitcode == 0
    os.makedirs(f"{{root}}/made/deep"); shutil.copy(f"{{root}}/samples/labels.txt", f"{{root}}/made/deep/copy.txt")
    os.rename(f"{{root}}/made/deep/copy.txt", f"{{root}}/made/deep/moved.txt")
    print(sys.argv[1])
"""


def assets(tmp_path):
    folder = tmp_path / "assets"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "labels.txt").write_text("car")
    return folder


def test_the_installations_folder_is_the_assets(tmp_path):
    folder = assets(tmp_path)
    done = run_app(write(tmp_path, OPENS), f"file://{HERE}/x.mp4", options=["--assets", folder])
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"file://{folder}/x.mp4\n"
    assert (folder / "made" / "deep" / "moved.txt").read_text() == "car"


def test_the_environment_does_for_the_assets_too(tmp_path):
    folder = assets(tmp_path)
    done = run_app(write(tmp_path, OPENS), "x", HEADRACE_ASSETS=str(folder))
    assert done.returncode == 0, done.stderr


def test_gstreamer_is_told_where_files_really_are(tmp_path):
    folder = assets(tmp_path)
    app = write(
        tmp_path,
        f"""
        import gi
        gi.require_version("Gst", "1.0")
        from gi.repository import Gst
        Gst.init(None)
        source = Gst.ElementFactory.make("filesrc")
        source.set_property("location", "{HERE}/samples/a.h264")
        print(source.get_property("location"))
        pipeline = Gst.parse_launch("filesrc location={HERE}/samples/a.h264 name=s ! fakesink")
        print(pipeline.get_by_name("s").get_property("location"))
        print(Gst.ElementFactory.make("nvstreammux") is not None)
    """,
    )
    done = run_app(app, options=["--assets", folder])
    assert done.stdout.splitlines() == [f"{folder}/samples/a.h264"] * 2 + ["True"], done.stderr


def test_child_processes_find_modules_and_assets(tmp_path):
    app = write(
        tmp_path,
        f"""
        import subprocess, sys
        from multiprocessing import get_context

        def child():
            import pyservicemaker
            print(open("{HERE}/samples/labels.txt").read(), flush=True)

        if __name__ == "__main__":
            process = get_context("spawn").Process(target=child)
            process.start(); process.join()
            program = "import pyds; print(open('{HERE}/samples/labels.txt').read())"
            sys.exit(process.exitcode or subprocess.call([sys.executable, "-c", program]))
    """,
    )
    done = run_app(app, options=["--assets", assets(tmp_path)])
    assert (done.returncode, done.stdout) == (0, "car\ncar\n"), done.stderr


WRAPPED = """
from multiprocessing import Process
import sys, time

def main(args):
    from pyservicemaker import Pipeline
    pipeline = Pipeline("live")
    pipeline.add("videotestsrc", "source", {"is-live": True}).add("fakesink", "sink").link("source", "sink")
    pipeline.start().wait()

if __name__ == "__main__":
    process = Process(target=main, args=(sys.argv,))
    try:
        process.start()
        print("child", process.pid, flush=True)
        process.join()
    except KeyboardInterrupt:
        print("terminating", flush=True)
        process.terminate()
        process.join()
        print("ended", process.exitcode, flush=True)
"""


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def started(tmp_path):
    """Start a program, and wait until it has written lines that begin with these words; ended with the test."""
    processes = []

    def start(text, *words):
        process = start_app(write(tmp_path, text))
        processes.append(process)
        lines = []
        while not all(any(line.startswith(word) for line in lines) for word in words):
            lines.append(process.stdout.readline())
            assert lines[-1], f"the program ended early: {lines}"
        return process, lines

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("group", [True, False])
def test_ctrl_c_ends_a_wrapped_pipeline(started, group):
    process, lines = started(WRAPPED, "child", "Main Loop Running")
    child = next(int(line.split()[1]) for line in lines if line.startswith("child"))
    if group:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    else:
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    assert "terminating" in out
    assert "ended" in out
    assert process.returncode == 0
    assert gone(child)


def test_sigterm_ends_a_pipeline_at_once(started):
    app = WRAPPED[: WRAPPED.index("if __name__")] + "\nmain(sys.argv)\n"
    process, _ = started(app, "Main Loop Running")
    process.terminate()
    assert process.wait(120) == -signal.SIGTERM


def test_env_names_the_assets(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", "from headrace.cli import main; main()", "env", "--assets", str(tmp_path)],
        env=environment(), capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert f"export HEADRACE_ASSETS={tmp_path}" in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(3)", 3), ("raise ValueError('enough')", 1), ("raise KeyboardInterrupt", -signal.SIGINT)],
)
def test_a_program_may_end_while_its_pipeline_plays(tmp_path, end, code):
    app = write(
        tmp_path,
        f"""
        import atexit, sys, threading
        from pyservicemaker import BatchMetadataOperator, Pipeline, Probe

        class Watch(BatchMetadataOperator):
            seen = threading.Event()
            def handle_metadata(self, batch_meta):
                self.seen.set()

        atexit.register(print, "at exit", flush=True)
        pipeline = Pipeline("endless").add("nvstreammux", "mux", {{"batch-size": 2}})
        for i in range(2):
            pipeline.add("hrsimsrc", f"s{{i}}", {{"scene": "sim://plaza?frames=100000&width=64&height=48"}})
            pipeline.link((f"s{{i}}", "mux"), ("", "sink_%u"))
        pipeline.add("nvdsosd", "osd").add("fakesink", "sink", {{"sync": False}}).link("mux", "osd", "sink")
        pipeline.attach("mux", Probe("watch", Watch())).start()
        assert Watch.seen.wait(120)
        {end}
    """,
    )
    done = run_app(app)
    assert done.returncode == code, done.stderr
    assert "at exit" in done.stdout
    assert "terminate called" not in done.stderr
