"""Vehicles that park along the kerb."""

import math

from ..objects.car import add_car
from ..objects.motorcycle import add_parked_motorcycle
from ..scene_builder import SceneBuilder
from ..street import FAR, PARKING_WIDTH, RIGHT


def add_parked_vehicles(scene: SceneBuilder, side: int) -> None:
    """Add cars and, less often, motorcycles along one kerb."""
    rng, street = scene.rng, scene.street
    across = street.kerb(side) - side * PARKING_WIDTH / 2
    z = rng.uniform(5.5, 11)
    density = rng.uniform(0.2, 0.85)
    while z < FAR * 0.7:
        if not street.in_crossing(z - 2.5, z + 2.5, 5) and rng.random() < density:
            heading = (0.0 if side == RIGHT else math.pi) + rng.uniform(-0.04, 0.04)
            if rng.random() < 0.88:
                add_car(scene, street.pose(across, z, heading))
            else:
                add_parked_motorcycle(scene, street.pose(across, z, rng.uniform(0.9, 2.2)))
        z += rng.uniform(5.2, 7)
