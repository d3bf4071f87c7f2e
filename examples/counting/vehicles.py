"""Count vehicles by direction: python vehicles.py [EVENTS.jsonl] [FRAMES]"""

import sys
from collections import Counter

from playing import play


def main(out="vehicles.jsonl", frames="900"):
    events = play(
        "vehicles.yaml", f"sim://highway?seed=3&objects=16&width=640&height=360&frames={frames}", out
    )
    counts = Counter(event["direction"] for event in events if event["type"] == "cross")
    print(f"towards the camera {counts['towards']}, away from it {counts['away']}")
    for event in events:
        if event["type"] in ("busy", "calm"):
            print(f"{event['time']:7.2f} s  {event['type']}: {event['count']} vehicles")
        elif event["type"] == "speeding":
            print(f"{event['time']:7.2f} s  vehicle {event['object']} at {event['kmh']} km/h")


if __name__ == "__main__":
    main(*sys.argv[1:])
