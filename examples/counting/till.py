"""How long is the queue at a till, and how long do people wait: python till.py [EVENTS.jsonl] [FRAMES]"""

import sys

from playing import play


def main(out="till.jsonl", frames="900"):
    events = play("till.yaml", f"sim://plaza?seed=5&objects=16&width=640&height=360&frames={frames}", out)
    for event in events:
        if event["type"] in ("queue", "queue-long", "queue-short"):
            print(f"{event['time']:7.2f} s  {event['type']}: {event['count']}")
    waits = sorted(event["seconds"] for event in events if event["type"] == "wait")
    if waits:
        print(
            f"{len(waits)} waited, half of them less than {waits[len(waits) // 2]:.1f} s, at most {waits[-1]:.1f} s"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
