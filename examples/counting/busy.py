"""A rule in Python: says when the road becomes busy, and when it is calm again."""

LIMIT = 5
busy = False


def on_batch(batch):
    global busy
    for seen in batch:
        vehicles = seen.labels.count("vehicle")
        if (vehicles >= LIMIT) != busy:
            busy = not busy
            seen.emit("busy" if busy else "calm", count=vehicles)
