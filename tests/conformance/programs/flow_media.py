"""What is in a file, and a frame of each half second of it."""

import sys

from pyservicemaker import utils
from pyservicemaker.utils import MediaChunk, MediaExtractor

info = utils.MediaInfo.discover(sys.argv[1])
for stream in info.streams:
    print("stream", stream.codec.replace(" ", "-"), stream.width, stream.height, *stream.framerate)
chunks = [MediaChunk(sys.argv[1], interval=500_000_000)]
with MediaExtractor(chunks=chunks, scaling=(320, 180), n_thread=1, q_size=2) as extractor:
    for queue in extractor():
        while (frame := queue.get()) is not None:
            print("frame", frame.timestamp // 1_000_000, *frame.tensor.shape)
