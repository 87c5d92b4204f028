"""One street scene: what is composed and drawn, in this order."""

import numpy as np
from numpy.random import Generator

from .camera import sample_camera
from .camera_effects import apply_camera_effects
from .canvas import Canvas
from .light import sample_light
from .objects.bonnet import draw_bonnet, sample_bonnet
from .objects.ground import draw_ground, sample_ground
from .objects.sky import draw_sky
from .objects.skyline import draw_skyline
from .placement.frontage import add_frontage
from .placement.parked_vehicles import add_parked_vehicles
from .placement.people import add_people
from .placement.street_furniture import add_street_furniture
from .placement.traffic import add_traffic
from .scene_builder import SceneBuilder
from .street import SIDES, sample_street


def draw_scene(rng: Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one street scene.

    The same state of the generator composes the same scene at every size; only the sensor noise depends on the size.

    Args:
        rng: source of all random numbers.
        height: height of the image in pixels.
        width: width of the image in pixels.

    Returns:
        Image (height, width, 3) uint8 BGR, and label ids of Cityscapes (height, width) uint8.
    """
    light = sample_light(rng)
    street = sample_street(rng)
    camera = sample_camera(rng)
    ground = sample_ground(rng, street)
    scene = SceneBuilder(rng, light, street)
    for side in SIDES:
        add_frontage(scene, side)
        add_street_furniture(scene, side)
        if street.parking[side]:
            add_parked_vehicles(scene, side)
    add_traffic(scene)
    add_people(scene)
    bonnet = sample_bonnet(rng)

    canvas = Canvas(height, width, camera, light)
    draw_sky(canvas, rng)
    draw_skyline(canvas, rng)
    draw_ground(canvas, street, ground, scene.shadows, rng)
    scene.draw_objects(canvas)
    if bonnet is not None:
        draw_bonnet(canvas, bonnet)
    return apply_camera_effects(canvas, rng), canvas.label
