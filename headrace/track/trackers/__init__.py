"""One file per tracker; each has `build(options) -> Tracker`."""
