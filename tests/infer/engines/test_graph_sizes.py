"""Which recording does a batch of a size that has none."""

from collections import Counter

import pytest

torch = pytest.importorskip("torch")
from headrace.infer.engines.pytorch import graphs  # noqa: E402

TYPES = [(torch.float16, torch.channels_last)]


def shapes(rows, side=64):
    return [torch.Size((rows, 3, side, side))]


@pytest.fixture
def slot():
    """A slot without a device that has recordings of 4 and 16 rows."""
    slot = object.__new__(graphs.CudaSlot)
    slot._recorded = {(*shapes(rows), *TYPES, None): None for rows in (4, 16)}
    slot._missed = Counter()
    return slot


def test_the_next_larger_is_used_until_the_size_has_come_often(slot):
    assert [slot.filled_up(shapes(8), TYPES, None) for _ in range(8)] == [shapes(16)] * 8
    assert slot.filled_up(shapes(8), TYPES, None) == shapes(8)
    assert slot.filled_up(shapes(1), TYPES, None) == shapes(4)


def test_what_is_recorded_or_larger_than_all_stands(slot):
    assert slot.filled_up(shapes(4), TYPES, None) == shapes(4)
    assert slot.filled_up(shapes(32), TYPES, None) == shapes(32)


def test_another_size_of_pictures_or_another_finish_does_not_do(slot):
    assert slot.filled_up(shapes(8, 32), TYPES, None) == shapes(8, 32)
    assert slot.filled_up(shapes(8), TYPES, sum) == shapes(8)
