from __future__ import annotations

import threading

import numpy as np
import pytest

from headrace.draw import draw_labels, text, text_size
from headrace.draw.canvas import Canvas

WHITE, BLACK = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0)


@pytest.fixture(params=["installed", "hershey"])
def backend(request, monkeypatch):
    """The renderer of the installed OpenCV, and the one for versions without fonts."""
    if request.param == "hershey":
        monkeypatch.setattr(text, "_backend", lambda: (text._hershey_width, text._hershey_render))
    text._cached_cover.cache_clear()
    text._cached_stamp.cache_clear()
    yield request.param
    text._cached_cover.cache_clear()
    text._cached_stamp.cache_clear()


def write(frame, *args):
    text.draw_text(Canvas(frame), *args)


def test_the_ground_fills_the_size_that_was_foretold(backend, frame, changed):
    width, height = text_size("cat", 10)
    write(frame, "cat", 20, 10, 10, WHITE, WHITE)
    wanted = np.zeros((64, 96), bool)
    wanted[10 : 10 + height, 20 : 20 + width] = True
    assert np.array_equal(changed(frame), wanted)


def test_letters_are_bright_smooth_and_inside_their_margin(backend, grey):
    frame = grey("GRAY8", 300, 60)
    write(frame, "Wg|jQ#", 0, 0, 24, WHITE, BLACK)
    width, height = text_size("Wg|jQ#", 24)
    picture = frame.planes[0][:height, :width]
    assert picture.max() == 255
    assert ((picture > 30) & (picture < 220)).any()
    assert not picture[0].any()
    assert not picture[:, 0].any()
    assert not picture[:, -1].any()
    assert 0.05 < (picture > 128).mean() < 0.5


@pytest.mark.parametrize("label", ["é", "人", "\udcff", "\x00", "\u202e", "🙂", "\t", "a\u0301", "\ud800x"])
def test_any_character_can_be_written(backend, frame, label, changed):
    write(frame, label + "M", 10, 10, 12, WHITE)
    assert changed(frame).any()


def test_sizes_grow_with_text_font_and_lines(backend):
    assert text_size("abcd")[0] > text_size("ab")[0]
    assert text_size("ab", 24)[1] > text_size("ab", 12)[1]
    assert text_size("ab\ncd")[1] > text_size("ab")[1]
    assert text_size("ab", 0) == text_size("ab", 12)


@pytest.mark.parametrize("place", [(-10, -6), (85, 55), (-5000, 0), (0, 5000), (96, 64)], ids=str)
def test_text_is_clipped_at_the_edges(backend, frame, place, changed):
    write(frame, "clipped", *place, 12, WHITE, BLACK)
    inside = place in [(-10, -6), (85, 55)]
    assert changed(frame).any() == inside


def test_text_beyond_measure_costs_a_bounded_bitmap(backend, changed, grey):
    frame = grey("NV12")
    write(frame, "x" * 1_000_000, 0, 0, 12, WHITE)
    write(frame, "x" * 100, 0, 0, 10**6, WHITE)
    assert changed(frame).any()
    assert text._cached_cover.cache_info().currsize == 0


def test_a_text_is_rendered_once_for_all_places_and_colours(backend, grey):
    frame = grey("NV12")
    for place in range(10):
        write(frame, "person", place, 7 * place, 12, WHITE, BLACK)
    write(frame, "person", 3, 3, 12, BLACK, WHITE)
    assert text._cached_cover.cache_info().misses == 1
    assert text._cached_stamp.cache_info().misses == 2


def test_no_text_draws_nothing(frame, changed):
    write(frame, "", 10, 10, 12, WHITE, BLACK)
    assert not changed(frame).any()


def test_threads_may_write_at_once(grey):
    frames = [grey("NV12", 400, 100) for _ in range(4)]
    labels = [f"label {i}" for i in range(40)]
    boxes = [[3 * i, 50, 30, 30] for i in range(40)]
    jobs = [threading.Thread(target=draw_labels, args=(f, labels, boxes, (1, 0, 0, 1))) for f in frames]
    text._cached_cover.cache_clear()
    text._cached_stamp.cache_clear()
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert all(np.array_equal(f.planes[0], frames[0].planes[0]) for f in frames)
