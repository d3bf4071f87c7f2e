"""What the demo detector learns from: which cells answer for which object, and how wrong they are."""

from __future__ import annotations

import math

import torch
from demo_net import corners
from torch import Tensor
from torch.nn import functional as F

#: Cells that answer for one object.
TOP = 10


def overlap(a: Tensor, b: Tensor, complete: bool = False) -> Tensor:
    """IoU of boxes ``(..., 4)`` xyxy; complete IoU (Zheng et al., 2020) when asked for."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    side_a, side_b = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]
    iou = shared / (side_a.prod(-1) + side_b.prod(-1) - shared + 1e-7)
    if not complete:
        return iou
    around = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) ** 2).sum(-1) / 4
    turn = torch.atan(side_a[..., 0] / (side_a[..., 1] + 1e-7)) - torch.atan(
        side_b[..., 0] / (side_b[..., 1] + 1e-7)
    )
    shape = 4 / math.pi**2 * turn**2
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-7)
    return iou - apart / ((around**2).sum(-1) + 1e-7) - weight * shape


@torch.no_grad()
def assign(
    scores: Tensor, boxes: Tensor, points: Tensor, strides: Tensor, rows: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Task-aligned assignment (Feng et al., 2021).

    Args:
        scores: ``(N, anchors, classes)`` in 0–1.
        boxes: ``(N, anchors, 4)`` predicted.
        points: ``(anchors, 2)`` cell centres.
        strides: ``(anchors,)``.
        rows: ``(N, ROWS, 6)`` labels.

    Returns:
        Target scores ``(N, anchors, classes)``, target boxes ``(N, anchors, 4)``, and which cells count
        ``(N, anchors)``: those on objects that are to be left alone do not.
    """
    wanted = (rows[..., 0] >= 0) & (rows[..., 5] > 0)
    left_alone = (rows[..., 0] >= 0) & (rows[..., 5] <= 0)
    kind = rows[..., 0].clamp(min=0).long()
    truth = rows[..., 1:5]
    # Objects smaller than a cell still get the cells around their middle.
    room = strides[None, None] * 0.75
    middle = (truth[..., :2] + truth[..., 2:])[..., None, :] / 2
    half = torch.maximum((truth[..., 2:] - truth[..., :2])[..., None, :] / 2, room[..., None])
    inside = ((points - middle).abs() < half).all(-1)
    iou = overlap(truth[:, :, None], boxes[:, None])
    mine = torch.gather(scores.transpose(1, 2), 1, kind[..., None].expand(-1, -1, scores.shape[1]))
    metric = mine.clamp(min=1e-9).sqrt() * iou**6 * (inside & wanted[..., None])
    best = metric.topk(TOP, dim=2)
    chosen = torch.zeros_like(metric).scatter_(2, best.indices, (best.values > 1e-12).to(metric.dtype)) > 0
    owner_iou = torch.where(chosen, iou, iou.new_tensor(-1.0))
    value, owner = owner_iou.max(1)
    positive = value >= 0
    chosen &= F.one_hot(owner, rows.shape[1]).transpose(1, 2).bool()
    metric = metric * chosen
    peak = metric.amax(2, keepdim=True)
    level = (metric / (peak + 1e-9) * (iou * chosen).amax(2, keepdim=True)).amax(1)
    owner_kind = torch.gather(kind, 1, owner)
    target = F.one_hot(owner_kind, scores.shape[2]) * (level * positive)[..., None]
    boxes_wanted = torch.gather(truth, 1, owner[..., None].expand(-1, -1, 4))
    covered = (inside_boxes(points, truth) & left_alone[..., None]).any(1)
    return target.float(), boxes_wanted, positive | ~covered


def inside_boxes(points: Tensor, boxes: Tensor) -> Tensor:
    """Whether each cell centre lies in each box: ``(N, ROWS, anchors)``."""
    return ((points > boxes[..., None, :2]) & (points < boxes[..., None, 2:])).all(-1)


def loss(raw: tuple[Tensor, Tensor, Tensor, Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
    """Score loss and box loss of a batch, each per unit of target score."""
    sides, logits, points, strides = (part.float() for part in raw)
    boxes = corners(sides, points, strides).transpose(1, 2)
    logits = logits.transpose(1, 2)
    target, wanted, counts = assign(logits.sigmoid(), boxes, points.T, strides[0], rows)
    total = target.sum().clamp(min=1)
    score = F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
    weight = target.sum(-1)
    positive = weight > 0
    box = (1 - overlap(boxes[positive], wanted[positive], complete=True)) * weight[positive]
    return (score * counts).sum() / total, box.sum() / total
