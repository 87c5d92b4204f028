"""Pedestrians on the pavements and the zebra crossing, bicycles that lean about, and riders who cross the street."""

from ..colours import CLOTHES, pick, tint
from ..objects.bicycle import add_parked_bicycle
from ..objects.person import add_person, sample_figure
from ..objects.rider import add_rider
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..street import LEFT, RIGHT, SIDES


def add_people(scene: SceneBuilder) -> None:
    """Add people and bicycles on both sides of the street and on the road."""
    rng, street = scene.rng, scene.street
    for side in SIDES:
        inner = street.half_road(side) + street.verge[side] + 0.4
        for _ in range(int(rng.integers(1, 9))):
            across, z = side * rng.uniform(inner, inner + street.pavement[side] - 0.7), 6 + rng.exponential(16)
            add_person(scene, street.pose(across, z), strides=(0, 0.7))
        for _ in range(int(rng.integers(0, 3))):
            z, heading = 7 + rng.exponential(12), rng.uniform(0.5, 2.6)
            add_parked_bicycle(scene, street.pose(side * (inner + 0.1), z, heading))
    if street.crossing is not None:
        z = street.crossing[0] - 2.5
        for _ in range(int(rng.integers(0, 4))):
            x = street.x(rng.uniform(street.kerb(LEFT), street.kerb(RIGHT)), z)
            add_person(scene, Pose(x, z), strides=(0.3, 0.9))
    if rng.random() < 0.35:
        z = rng.uniform(9, 22)
        pose = Pose(rng.uniform(-5, 5), z, pick(rng, (-1, 1)) * rng.uniform(1.2, 1.9))
        machine = pick(rng, ('bicycle', 'bicycle', 'motorcycle'))
        add_rider(scene, pose, sample_figure(rng), tint(rng, pick(rng, CLOTHES)), machine)
