"""Waiting for what another thread or process does."""

import time


def wait_until(condition, limit=60.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)
