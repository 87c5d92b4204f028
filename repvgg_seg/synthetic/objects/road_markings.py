"""What is painted on or laid into the road: lines, the zebra crossing and tram rails."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ..street import SIDES, Street, Stretch


@dataclass(frozen=True)
class RoadMarkings:
    """Lines and rails of a road.

    Args:
        dashed: metres across of the dashed lines.
        solid: metres across of the solid lines.
        crossing: stretch of the cross street, before which there is a zebra crossing.
        rails: metres across of the tram rails.
        wear: the paint is gone where the wear of the asphalt, from about -1 to 1, is not above this.
    """

    dashed: tuple[float, ...]
    solid: tuple[float, ...]
    crossing: Stretch | None
    rails: tuple[float, ...]
    wear: float


def sample_road_markings(rng: Generator, street: Street) -> RoadMarkings:
    """Return the markings that belong to the plan of a street, with random wear."""
    dashed = tuple((k - street.lanes / 2) * street.lane_width for k in range(1, street.lanes))
    solid = tuple(side * street.lanes * street.lane_width / 2 for side in SIDES if street.parking[side])
    tracks = [street.lane_centre(lane) for lane in (street.tram_lane, street.own_lane)] if street.has_tram else []
    rails = tuple(track + gauge for track in tracks for gauge in (-0.72, 0.72))
    return RoadMarkings(dashed, solid, street.crossing, rails, rng.uniform(-0.9, -0.3))


def on_paint(across: np.ndarray, z: np.ndarray, markings: RoadMarkings) -> np.ndarray:
    """Return where there is white paint, as a boolean array of the shape of ``across``.

    Args:
        across: metres right of the centre line, (rows, columns).
        z: metres ahead of the camera, (rows, 1).
        markings: lines of the road.
    """
    paint = np.zeros(across.shape, bool)
    for line in markings.dashed:
        paint |= (np.abs(across - np.float32(line)) < 0.09) & (z % 6 < 3)
    for line in markings.solid:
        paint |= np.abs(across - np.float32(line)) < 0.07
    if markings.crossing is not None:
        start, end = markings.crossing
        paint &= (z < start - 5) | (z > end + 1)
        paint |= (z > start - 4) & (z < start - 1) & (across % 1 < 0.5)
    return paint


def on_rails(across: np.ndarray, markings: RoadMarkings) -> np.ndarray:
    """Return where there are tram rails, as a boolean array of the shape of ``across``."""
    rails = np.zeros(across.shape, bool)
    for rail in markings.rails:
        rails |= np.abs(across - np.float32(rail)) < 0.06
    return rails
