"""Who is on the way at a given time: stateless, so that any frame can be asked for alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from headrace.source.sim.camera import Array
from headrace.source.sim.people import Looks, walker
from headrace.source.sim.shapes import Mesh, Pose
from headrace.source.sim.truth import PERSON, TWO_WHEELER, VEHICLE
from headrace.source.sim.vehicles import two_wheeler, vehicle

#: Share of the moving objects that each class gets.
_SHARES = {VEHICLE: 0.5, TWO_WHEELER: 0.17, PERSON: 0.33}
#: Steps of the walk that are drawn apart.
_PHASES = 24


@dataclass(frozen=True)
class Route:
    """A way along the ground that objects of one class take at one speed.

    Attributes:
        class_id: Who takes it.
        points: ``(n, 2)`` metres, where it leads.
        speed: Metres per second.
        departures: Seconds within the scene's cycle at which an object may set out.
        spread: How far to the side of the route an object may keep, in metres.
    """

    class_id: int
    points: Array
    speed: float
    departures: tuple[float, ...]
    spread: float = 0.0

    @cached_property
    def distances(self) -> Array:
        """``(n,)`` metres from the start to each point."""
        steps = np.hypot(*np.diff(self.points, axis=0).T)
        return np.concatenate([[0.0], np.cumsum(steps)])

    @property
    def seconds(self) -> float:
        """How long the way takes."""
        return float(self.distances[-1]) / self.speed


@dataclass(frozen=True)
class _Body:
    """What distinguishes an actor from the next on its route; people have looks, the rest a mesh."""

    side: float
    pace: float
    looks: Looks | None
    mesh: Mesh | None


class Actor:
    """One object on its way, from the time it departs.

    Attributes:
        track_id: Unique in the run.
        class_id: Index into `SIM_LABELS`.
        departs: Second at which it enters.
        arrives: Second at which it leaves.
    """

    def __init__(self, route: Route, departs: float, track_id: int, seed: list[int]) -> None:
        self.track_id, self.class_id = track_id, route.class_id
        self.departs, self.arrives = departs, departs + route.seconds
        self._route, self._seed = route, seed

    @cached_property
    def _body(self) -> _Body:
        """Made on first sight: most actors near a moment asked for are never seen."""
        rng = np.random.default_rng(self._seed)
        side = float(rng.uniform(-self._route.spread, self._route.spread))
        looks = Looks.draw(rng) if self.class_id == PERSON else None
        pace = 2 * math.pi * self._route.speed / float(rng.uniform(1.25, 1.5))
        if self.class_id == PERSON:
            return _Body(side, pace, looks, None)
        return _Body(side, pace, None, vehicle(rng) if self.class_id == VEHICLE else two_wheeler(rng))

    def pose(self, time: float) -> Pose:
        """Where it is at ``time`` seconds, between departure and arrival."""
        way, side = (time - self.departs) * self._route.speed, self._body.side
        x, y = self._at(way)
        behind, ahead = self._at(way - 0.8), self._at(way + 0.8)
        heading = math.atan2(ahead[1] - behind[1], ahead[0] - behind[0])
        return Pose(x - side * math.sin(heading), y + side * math.cos(heading), heading)

    def mesh(self, time: float) -> Mesh:
        """What it looks like at ``time``: people walk, the rest is rigid."""
        body = self._body
        if body.mesh is not None:
            return body.mesh
        assert body.looks is not None
        step = int((time - self.departs) * body.pace / (2 * math.pi) * _PHASES) % _PHASES
        return _step(body.looks, step)

    def _at(self, way: float) -> tuple[float, float]:
        points, distances = self._route.points, self._route.distances
        return float(np.interp(way, distances, points[:, 0])), float(np.interp(way, distances, points[:, 1]))


@lru_cache(maxsize=2048)
def _step(looks: Looks, step: int) -> Mesh:
    return walker(looks, 2 * math.pi * step / _PHASES)


class Traffic:
    """Actors on routes, set out anew in every cycle of the scene.

    Each cycle has a fixed list of possible departures per class; an even selection of them is taken, so
    that about ``objects`` actors are on their way at any time.
    """

    def __init__(
        self, routes: tuple[Route, ...], cycle: float, objects: int, seed: int, first_id: int
    ) -> None:
        self._cycle, self._seed, self._first_id = cycle, seed, first_id
        self._candidates = {
            class_id: [(r, d) for r in routes if r.class_id == class_id for d in r.departures]
            for class_id in _SHARES
        }
        self._counts = self._share_out(objects)
        longest = max(max(r.seconds + max(r.departures) for r in routes), cycle)
        self._back = math.ceil(longest / cycle) + 1
        self._ahead = math.ceil(-min(0.0, *(min(r.departures) for r in routes)) / cycle)
        self._per_cycle = sum(len(candidates) for candidates in self._candidates.values())
        self._departing = lru_cache(maxsize=2 * (self._back + self._ahead) + 8)(self._depart)

    def at(self, time: float) -> list[Actor]:
        """Everybody on the way at ``time`` seconds."""
        now = math.floor(time / self._cycle)
        return [
            actor
            for cycle in range(now - self._back, now + self._ahead + 1)
            for actor in self._departing(cycle)
            if actor.departs <= time < actor.arrives
        ]

    def _share_out(self, objects: int) -> dict[int, float]:
        """How many actors per cycle and class make ``objects`` at once; people take what roads cannot."""
        counts: dict[int, float] = {}
        spare = 0.0
        for class_id, share in _SHARES.items():
            candidates = self._candidates[class_id]
            mean = sum(r.seconds for r, _ in candidates) / max(len(candidates), 1)
            wanted = objects * share + spare
            counts[class_id] = min(wanted * self._cycle / max(mean, 1e-9), len(candidates))
            spare = wanted - counts[class_id] * mean / self._cycle
        return counts

    def _depart(self, cycle: int) -> tuple[Actor, ...]:
        """Who sets out in a cycle; cycles before the start are negative."""
        actors: list[Actor] = []
        # Ids count from the first cycle of which anybody can still be on the way at time 0.
        number = self._first_id + (cycle + self._back) * self._per_cycle
        for class_id, candidates in self._candidates.items():
            order = np.random.default_rng([self._seed, class_id, cycle + 2**20]).permutation(len(candidates))
            count = self._counts[class_id]
            taken = math.floor((cycle + 1) * count + 0.5) - math.floor(cycle * count + 0.5)
            for index in order[:taken].tolist():
                route, offset = candidates[index]
                seed = [self._seed, class_id, cycle + 2**20, index]
                actors.append(Actor(route, cycle * self._cycle + offset, number + index, seed))
            number += len(candidates)
        return tuple(actors)
