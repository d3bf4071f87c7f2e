"""Two pipelines in two threads: one hands tensors to the other through a queue."""

import sys
import threading
from queue import Queue

from pyservicemaker import Buffer, BufferProvider, BufferRetriever, ColorFormat, Flow, Pipeline, as_tensor


def say(text):
    sys.stdout.write(f"{text}\n")  # at once: two threads speak


class Putting(BufferRetriever):
    def __init__(self, queue):
        super().__init__()
        self.queue = queue
        self.count = 0

    def consume(self, buffer):
        self.queue.put(buffer.extract(0).clone())
        self.count += 1
        say(f"put {self.count}")
        return 1


class Getting(BufferProvider):
    def __init__(self, queue):
        super().__init__()
        self.queue = queue
        self.count = 0
        self.format, self.width, self.height, self.framerate, self.device = "RGB", 1280, 720, 30, "gpu"

    def generate(self, size):
        tensor = self.queue.get()
        if tensor is None:
            say("no more")
            return Buffer()
        self.count += 1
        say(f"got {self.count} of {tensor.shape}")
        return as_tensor(tensor, "HWC").wrap(ColorFormat.RGB)


def take(paths, queue):
    Flow(Pipeline("taking")).batch_capture(paths, width=1280, height=720).retrieve(Putting(queue))()
    queue.put(None)


def give(queue):
    Flow(Pipeline("giving")).inject([Getting(queue)]).render()()


if __name__ == "__main__":
    queue = Queue(maxsize=10)
    threads = [
        threading.Thread(target=take, args=(sys.argv[1:], queue)),
        threading.Thread(target=give, args=(queue,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("both ended")
