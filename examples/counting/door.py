"""Count people at a door, each time they come in or go out: python door.py [EVENTS.jsonl] [FRAMES]"""

import sys
from collections import Counter

from playing import play


def main(out="door.jsonl", frames="900"):
    events = play("door.yaml", f"sim://plaza?seed=3&objects=16&width=640&height=360&frames={frames}", out)
    for event in events:
        if event["type"] == "cross":
            print(f"{event['time']:7.2f} s  {event['label']} {event['object']} goes {event['direction']}")
    counts = Counter(event["direction"] for event in events if event["type"] == "cross")
    print(f"in {counts['in']}, out {counts['out']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
