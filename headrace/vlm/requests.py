"""From what was seen to a question: the prompt filled in, the pictures, and where the answer belongs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from headrace.vlm.config import Question
from headrace.vlm.facts import FrameFacts, ObjectFacts
from headrace.vlm.model import VlmRequest
from headrace.vlm.prompts import Prompt
from headrace.vlm.segments import Sample


def request_of(
    question: Question,
    prompt: Prompt,
    frame: FrameFacts,
    subject: ObjectFacts | None,
    samples: Sequence[Sample],
) -> VlmRequest:
    """The question about a segment.

    Args:
        question: What is asked.
        prompt: Its prompt, read.
        frame: The frame with which the segment is complete.
        subject: The object that it is about, as last seen; ``None`` for frames.
        samples: The pictures, at least one.
    """
    return VlmRequest(
        prompt=prompt.render(_values(frame, subject, samples)),
        pictures=tuple(sample.picture for sample in samples),
        system=question.system, schema=question.answer_schema,
        source_id=frame.source, pad_index=frame.pad_index,
        object_id=subject.object_id if subject else None, label=subject.label if subject else "",
        frame_number=samples[-1].frame, first_pts=samples[0].pts, last_pts=samples[-1].pts,
        asked=time.monotonic(),
    )  # fmt: skip


def _values(frame: FrameFacts, subject: ObjectFacts | None, samples: Sequence[Sample]) -> Mapping[str, str]:
    """What the placeholders of a prompt stand for."""
    labels = Counter(one.label for one in frame.objects)
    clock = datetime.fromtimestamp((frame.clock or time.time_ns()) / 1e9, timezone.utc)
    values = {
        "source": str(frame.source),
        "frame": str(samples[-1].frame),
        "time": f"{samples[-1].pts / 1e9:.1f}",
        "timestamp": f"{clock:%Y-%m-%dT%H:%M:%SZ}",
        "length": f"{(samples[-1].pts - samples[0].pts) / 1e9:.1f}",
        "pictures": str(len(samples)),
        "labels": ", ".join(f"{count} {label}" for label, count in labels.most_common()) or "nothing",
        "count": str(len(frame.objects)),
    }
    if subject is not None:
        values |= {
            "object.label": subject.label,
            "object.id": str(subject.object_id),
            "object.confidence": f"{subject.confidence:.2f}",
            "object.zones": ", ".join(subject.zones) or "none",
            "dwell": f"{subject.dwell:.1f}",
        }
    return values
