"""Two-stage association with observation-centric recovery: motion only, no appearance, no pixels.

Confident detections are matched first, weak ones may then prolong what is left (ByteTrack, Zhang et al., 2022),
and a lost object is looked for where it was last seen, not only where it is predicted (OC-SORT, Cao et al., 2023).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections
from headrace.track import motion
from headrace.track.association import Array, Rows, assign, iou
from headrace.track.options import TrackerOptions
from headrace.track.tracker import Tracks

P = dict(seen_w=0.0, fuse=0, hgt=0.0, rec_iou=0.3, rec_exp=0.0, out='kf', dirw=0.0, damp=1.0, nsa=0, stage2_missed=1, exp=0.0, reset=0, oldpen=0.0)

SEEN = slice(motion.COLUMNS, motion.COLUMNS + 4)
CONFIDENCE = motion.COLUMNS + 4
ID, CLASS, HITS, MISSED, ROW = range(5)


class CascadeTracker:
    def __init__(self, options: TrackerOptions) -> None:
        self._options = options
        self.reset()

    def reset(self) -> None:
        self._state = np.empty((0, motion.COLUMNS + 5))
        self._info = np.empty((0, 5), np.int64)
        self._last_id = 0
        self._dropped: dict[str, int] = {}

    @property
    def dropped(self) -> Mapping[str, int]:
        return self._dropped

    def update(self, detections: Detections) -> Tracks:
        o = self._options
        xyxy = detections.xyxy.astype(np.float64)
        conf = detections.confidence.astype(np.float64)
        size = xyxy[:, 2:] - xyxy[:, :2]
        good = np.isfinite(xyxy).all(1) & (size > 0).all(1) & (conf >= o.min_detector_confidence)
        rows = np.flatnonzero(good)
        xyxy, conf, cls = xyxy[rows], conf[rows], detections.class_id[rows]
        st, info = self._state, self._info
        motion.predict(st)
        if P['damp'] != 1.0:
            st[info[:, MISSED] > 0, 4:8] *= P['damp']
        D, T = len(rows), len(st)
        free_t = np.ones(T, bool)
        free_d = np.ones(D, bool)
        info[:, ROW] = -1
        pt, pd = [], []

        def match(tsel, dsel, score, minimum):
            r, c = assign(score, minimum)
            t, d = tsel[r], dsel[c]
            free_t[t] = False
            free_d[d] = False
            pt.append(t); pd.append(d)

        strong = conf >= o.tentative_confidence
        if T and D:
            pb = motion.to_corners(st[:, :4])
            ov = iou(expand(pb), expand(xyxy))
            if P['hgt']:
                hm = (np.minimum(pb[:, None, 3], xyxy[None, :, 3]) - np.maximum(pb[:, None, 1], xyxy[None, :, 1])) / (
                    np.maximum(pb[:, None, 3], xyxy[None, :, 3]) - np.minimum(pb[:, None, 1], xyxy[None, :, 1]))
                ov *= np.maximum(hm, 0) ** P['hgt']
            if o.check_class:
                ov[info[:, CLASS][:, None] != cls] = -1
            t, d = np.arange(T), np.flatnonzero(strong)
            score = ov[:, d]
            if P['fuse']:
                score = np.where(score > 0, score * conf[d], score)
            if P['dirw']:
                # direction consistency
                dc = motion.to_centre(xyxy[d])[:, None, :2] - st[:, SEEN][None, :, :2]
                dc = dc.transpose(1, 0, 2)
                v = st[:, 4:6]
                cosv = (dc * v[:, None]).sum(2) / (np.linalg.norm(dc, axis=2) * np.linalg.norm(v, axis=1)[:, None] + 1e-9)
                ang = 0.5 - np.arccos(np.clip(cosv, -1, 1)) / np.pi
                score = np.where(score >= o.min_iou, score + P['dirw'] * ang * conf[d], score)
            if P['oldpen']:
                score = np.where(score >= o.min_iou, np.maximum(score - P['oldpen'] * np.minimum(info[:, MISSED], 10)[:, None], o.min_iou), score)
            match(t, d, score, o.min_iou)
            # second
            t = np.flatnonzero(free_t & (info[:, MISSED] < P['stage2_missed']))
            d = np.flatnonzero(~strong)
            if len(t) and len(d):
                match(t, d, ov[t[:, None], d], o.min_tentative_iou)
            # recovery
            t = np.flatnonzero(free_t)
            d = np.flatnonzero(free_d & strong)
            if len(t) and len(d) and P['rec_iou'] < 1:
                sb = motion.to_corners(st[t, SEEN])
                ov2 = iou(expand2(sb), expand2(xyxy[d]))
                if o.check_class:
                    ov2[info[t, CLASS][:, None] != cls[d]] = -1
                match(t, d, ov2, P['rec_iou'])
        info[:, MISSED] += 1
        if pt:
            t, d = np.concatenate(pt), np.concatenate(pd)
            z = motion.to_centre(xyxy[d])
            gap = info[t, MISSED]
            doubt = (1 - conf[d]) if P['nsa'] == 1 else np.ones(len(t))
            if P['nsa'] == 2: doubt = 1.5 - conf[d]
            old = st[t]
            new = motion.correct(old, z, doubt)
            if P['reset']:
                k = gap > P['reset']
                v = (z[k] - old[k, SEEN]) / gap[k, None]
                motion.start(new[k], z[k]) if False else None
                sub = new[k]
                motion.start(sub, z[k]); sub[:, 4:8] = v
                new[k] = sub
            new[:, SEEN] = z
            new[:, CONFIDENCE] = conf[d]
            st[t] = new
            info[t, ROW] = rows[d]
            info[t, HITS] += 1
            info[t, MISSED] = 0
        # termination
        limit = np.where(info[:, HITS] <= o.probation_age, o.early_termination_age-1, o.max_shadow_age)
        keep = info[:, MISSED] <= limit
        # birth
        d = np.flatnonzero(free_d & (conf >= o.new_target_confidence))
        if o.max_iou_new_target < 1 and len(d) and T:
            m = iou(xyxy[d], motion.to_corners(st[info[:, MISSED] == 0, :4]))
            if m.shape[1]:
                d = d[m.max(1) <= o.max_iou_new_target]
        born = np.zeros((len(d), motion.COLUMNS + 5))
        z = motion.to_centre(xyxy[d])
        motion.start(born, z)
        born[:, SEEN] = z
        born[:, CONFIDENCE] = conf[d]
        bi = np.zeros((len(d), 5), np.int64)
        bi[:, CLASS] = cls[d]; bi[:, HITS] = 1; bi[:, ROW] = rows[d]
        self._state = np.concatenate((st[keep], born))
        self._info = info = np.concatenate((info[keep], bi))
        new = np.flatnonzero((info[:, ID] == 0) & (info[:, HITS] > o.probation_age))
        if len(new):
            info[new, ID] = np.arange(self._last_id + 1, self._last_id + 1 + len(new)); self._last_id += len(new)
        show = np.flatnonzero((info[:, ID] > 0) & (info[:, MISSED] <= (P.get('coast',0))))
        ids = np.full(len(detections), -1, np.int64)
        ids[info[show, ROW]] = info[show, ID]
        box = motion.to_corners(self._state[show, :4] if P['out'] == 'kf' else np.where((info[show,MISSED]==0)[:,None],self._state[show, SEEN],self._state[show,:4]))
        return Tracks(ids, info[show, ROW], info[show, ID], box.astype(np.float32), self._state[show, CONFIDENCE].astype(np.float32), info[show, CLASS].astype(np.int32))


def expand(b):
    if not P['exp']: return b
    m = (b[:, 2:] - b[:, :2]) * P['exp']
    return np.concatenate((b[:, :2] - m, b[:, 2:] + m), 1)

def expand2(b):
    if not P['rec_exp']: return b
    m = (b[:, 2:] - b[:, :2]) * P['rec_exp']
    return np.concatenate((b[:, :2] - m, b[:, 2:] + m), 1)

def build(options: TrackerOptions) -> CascadeTracker:
    """A tracker for one source."""
    return CascadeTracker(options)
