"""Files for GStreamer's Python plugin loader: one in ``python/`` for each element. `PATH` goes into GST_PLUGIN_PATH."""

from pathlib import Path

PATH = Path(__file__).parent
