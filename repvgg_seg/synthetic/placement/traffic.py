"""Moving vehicles: how dense the traffic is, and which kinds of vehicles it consists of."""

import math

from ..colours import PAINTS, pick, tint
from ..objects.bus import add_bus
from ..objects.car import add_car
from ..objects.person import sample_figure
from ..objects.rider import add_rider
from ..objects.tram import add_tram
from ..objects.truck import add_truck
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..street import FAR

HALF_TRAM_CAR = 5.3  # metres


def add_traffic(scene: SceneBuilder) -> None:
    """Add vehicles in every lane and, at a cross street, sometimes one that crosses."""
    rng, street = scene.rng, scene.street
    mean_gap = rng.uniform(15, 50)  # metres between vehicles, beyond the least distance
    for lane in range(street.lanes):
        heading = math.pi if lane < street.lanes / 2 else 0.0  # oncoming traffic is on the left
        z = rng.uniform(11, 28) if lane == street.own_lane else rng.uniform(8, 26)
        if street.has_tram and lane == street.tram_lane:
            cars = int(rng.integers(2, 4))
            middle = rng.uniform(9, 24) + cars * HALF_TRAM_CAR
            add_tram(scene, street.pose(street.lane_centre(lane), middle, heading), cars)
            z = middle + cars * HALF_TRAM_CAR + 12
        while z < FAR * 0.8:
            if not street.in_crossing(z - 4, z + 4):
                add_vehicle(scene, street.pose(street.lane_centre(lane) + rng.uniform(-0.3, 0.3), z, heading))
            z += 9 + rng.exponential(mean_gap)
    if street.crossing is not None and rng.random() < 0.6:
        middle = (street.crossing[0] + street.crossing[1]) / 2
        add_vehicle(scene, Pose(rng.uniform(-8, 8), middle, pick(rng, (-1, 1)) * math.pi / 2))


def add_vehicle(scene: SceneBuilder, pose: Pose) -> None:
    """Add a vehicle of a random kind: mostly a car, else a truck, a bus, a motorcyclist or a cyclist."""
    rng = scene.rng
    kind = rng.random()
    colour = tint(rng, pick(rng, PAINTS), 18)
    if kind < 0.68:
        add_car(scene, pose)
    elif kind < 0.76 and pose.z > 12:
        add_truck(scene, pose, colour)
    elif kind < 0.87 and pose.z > 14:
        add_bus(scene, pose, colour)
    else:
        machine = 'motorcycle' if kind > 0.92 else 'bicycle'
        near_kerb = Pose(pose.x + 0.8 * math.cos(pose.heading), pose.z, pose.heading)
        add_rider(scene, near_kerb, sample_figure(rng), colour, machine)
