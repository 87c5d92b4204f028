"""The plan of the street: its course, its cross-section and the cross street."""

import math
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.random import Generator

from .pose import Pose

FAR = 95.0  # metres; only the skyline stands farther away
LEFT, RIGHT = -1, 1
SIDES = (LEFT, RIGHT)
PARKING_WIDTH = 2.2  # metres

Stretch: TypeAlias = tuple[float, float]  # from and to, in metres ahead of the camera
Depth = TypeVar('Depth', float, np.ndarray)


@dataclass(frozen=True)
class Street:
    """Course and cross-section of a street.

    "Across" counts metres to the right of the centre line of the road, z metres ahead of the camera.

    Args:
        lanes: driving lanes in both directions together.
        lane_width: width of a lane in metres.
        parking: whether cars park along the kerb of each side.
        verge: width in metres of the grass strip along the kerb of each side, 0 for none.
        pavement: width of the pavement of each side in metres.
        own_lane: lane of the camera, counted from the left.
        slope: metres that the centre line moves to the right per metre ahead.
        curve: change of the slope per two metres ahead.
        crossing: stretch that a cross street takes up, if there is one.
        has_tram: whether trams run in the street.
    """

    lanes: int
    lane_width: float
    parking: dict[int, bool]
    verge: dict[int, float]
    pavement: dict[int, float]
    own_lane: int
    slope: float
    curve: float
    crossing: Stretch | None
    has_tram: bool

    @property
    def tram_lane(self) -> int:
        """Lane of the oncoming tram; trams also have rails in the camera's own lane."""
        return self.own_lane - 1

    def lane_centre(self, lane: int) -> float:
        """Return the metres across of the middle of a lane, counted from the left."""
        return (lane + 0.5 - self.lanes / 2) * self.lane_width

    def half_road(self, side: int) -> float:
        """Return the distance in metres from the centre line to the kerb of a side."""
        return self.lanes * self.lane_width / 2 + PARKING_WIDTH * self.parking[side]

    def kerb(self, side: int) -> float:
        """Return the metres across of the kerb."""
        return side * self.half_road(side)

    def frontage(self, side: int) -> float:
        """Return the metres across where the pavement ends and the plots begin."""
        return side * (self.half_road(side) + self.verge[side] + self.pavement[side])

    def centre(self, z: Depth) -> Depth:
        """Return the world x of the centre line at a depth, or at an array of depths."""
        return -self.lane_centre(self.own_lane) + z * (self.slope + self.curve * z)

    def x(self, across: float, z: float) -> float:
        """Return the world x of the point ``across`` metres right of the centre line at depth z."""
        return across + self.centre(z)

    def pose(self, across: float, z: float, heading: float = 0.0) -> Pose:
        """Return the pose at a place of the street; the heading is relative to the street's own direction there."""
        turn = math.atan(self.slope + 2 * self.curve * z)
        return Pose(self.x(across, z), z, heading + turn)

    def panel(self, across: float, z0: float, z1: float, height: float) -> np.ndarray:
        """Return the world corners (4, 3) of an upright panel that runs along the street from z0 to z1."""
        x0, x1 = self.x(across, z0), self.x(across, z1)
        return np.array(((x0, 0.0, z0), (x1, 0.0, z1), (x1, height, z1), (x0, height, z0)))

    def in_crossing(self, z0: float, z1: float, margin: float = 1.0) -> bool:
        """Return whether the stretch from z0 to z1 comes nearer to the cross street than ``margin`` metres."""
        return self.crossing is not None and z1 > self.crossing[0] - margin and z0 < self.crossing[1] + margin


def sample_street(rng: Generator) -> Street:
    """Draw a street."""
    lanes = int(rng.integers(2, 5))
    lane_width = rng.uniform(3.0, 3.6)
    parking = {side: rng.random() < 0.5 for side in SIDES}
    verge = {side: rng.uniform(0.8, 2.2) if rng.random() < 0.4 else 0.0 for side in SIDES}
    pavement = {side: rng.uniform(2.0, 4.5) for side in SIDES}
    own_lane = int(rng.integers((lanes + 1) // 2, lanes))  # traffic keeps to the right
    slope, curve = rng.uniform(-0.16, 0.16), rng.uniform(-0.0022, 0.0022)
    start = rng.uniform(14, 45)
    crossing = (start, start + rng.uniform(7, 11)) if rng.random() < 0.45 else None
    has_tram = rng.random() < 0.3
    return Street(lanes, lane_width, parking, verge, pavement, own_lane, slope, curve, crossing, has_tram)


def split_stretch(z0: float, z1: float, length: float) -> list[Stretch]:
    """Split the stretch from z0 to z1 into parts of about ``length`` metres, longer ones when they are far away."""
    count = max(1, round((z1 - z0) / (length * (1 + z0 / 60))))
    return [(z0 + (z1 - z0) * k / count, z0 + (z1 - z0) * (k + 1) / count) for k in range(count)]
