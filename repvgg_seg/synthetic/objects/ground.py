"""The ground: road, pavements, verges and what lies beyond, with their texture and the shadows on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from ..canvas import SUBPIXEL_BITS, Canvas
from ..colours import GRASSES, Colour, pick, scaled, tint
from ..labels import LABEL_ID
from ..noise import smooth_noise
from ..street import LEFT, RIGHT, SIDES, Street
from .road_markings import RoadMarkings, on_paint, on_rails, sample_road_markings

KERB_WIDTH = 0.16  # metres
FARTHEST = np.float32(400)  # metres


@dataclass(frozen=True)
class GroundStrip:
    """A strip of ground along the street.

    Args:
        edge: where it ends, in metres right of the centre line; it begins where the strip to its left ends.
        name: class of its pixels.
        colour: its colour.
        grain: strength of its noise in grey levels.
        joints: metres between the joints of its paving, 0 for none.
    """

    edge: float
    name: str
    colour: Colour
    grain: float
    joints: float = 0.0


@dataclass(frozen=True)
class Ground:
    """The strips from left to right, one of which is the road, and the markings of the road."""

    strips: tuple[GroundStrip, ...]
    markings: RoadMarkings


def sample_ground(rng: Generator, street: Street) -> Ground:
    """Draw colours and materials of the ground of a street."""
    grey = rng.uniform(88, 128)
    asphalt = tint(rng, (grey, grey, grey), 6)
    slab = tint(rng, (grey + 16, grey + 20, grey + 22), 16)  # close to the asphalt: colour alone cannot tell
    joints = pick(rng, (0.0, 0.5, 0.8, 1.2))
    grass = tint(rng, pick(rng, GRASSES), 10)
    stone = scaled(slab, 1, 22)
    open_land = {side: rng.random() < 0.6 for side in SIDES}

    def beyond(side: int, edge: float) -> GroundStrip:
        if open_land[side]:
            return GroundStrip(edge, 'terrain', grass, 14)
        return GroundStrip(edge, 'sidewalk', slab, 9)

    left, right = street.kerb(LEFT), street.kerb(RIGHT)
    strips = (
        beyond(LEFT, street.frontage(LEFT)),
        GroundStrip(left - street.verge[LEFT] - KERB_WIDTH, 'sidewalk', slab, 8, joints),
        GroundStrip(left - KERB_WIDTH, 'terrain', grass, 16),
        GroundStrip(left, 'sidewalk', stone, 5),
        GroundStrip(right, 'road', asphalt, 7),
        GroundStrip(right + KERB_WIDTH, 'sidewalk', stone, 5),
        GroundStrip(right + street.verge[RIGHT] + KERB_WIDTH, 'terrain', grass, 16),
        GroundStrip(street.frontage(RIGHT), 'sidewalk', slab, 8, joints),
        beyond(RIGHT, 1e9),
    )
    return Ground(strips, sample_road_markings(rng, street))


def draw_ground(canvas: Canvas, street: Street, ground: Ground, shadows: Sequence[np.ndarray], rng: Generator) -> None:
    """Colour every pixel below the horizon by its place on the ground plane.

    Args:
        canvas: canvas to draw on.
        street: course of the street.
        ground: strips and markings.
        shadows: ground points (N, 2) of (x, z) whose hulls are in shadow.
        rng: source of the random texture.
    """
    height, width = canvas.label.shape
    first = int(canvas.horizon) + 1
    below = np.arange(first, height, dtype=np.float32)[:, None] + np.float32(0.5 - canvas.horizon)
    z = np.minimum(np.float32(canvas.focal * canvas.camera.height) / below, FARTHEST)
    sideways = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)) / np.float32(canvas.focal)
    across = sideways * z - street.centre(z).astype(np.float32)

    strip = np.searchsorted(np.array([s.edge for s in ground.strips[:-1]], np.float32), across)
    road = next(i for i, s in enumerate(ground.strips) if s.name == 'road')
    if street.crossing is not None:
        strip[(z[:, 0] > street.crossing[0]) & (z[:, 0] < street.crossing[1])] = road
    on_road = strip == road
    canvas.label[first:] = np.array([LABEL_ID[s.name] for s in ground.strips], np.uint8)[strip]
    colour = np.array([s.colour for s in ground.strips], np.float32)[strip]

    fade = np.float32(12) / (np.float32(12) + z)  # fine texture blurs with distance
    grain, wear = _grain(across, z, fade, rng)
    strength = np.array([s.grain for s in ground.strips], np.float32)[strip] * grain
    joints = np.array([s.joints for s in ground.strips], np.float32)[strip]
    strength -= _on_joint(across, z, joints) * np.float32(26) * fade
    colour += strength[..., None]

    paint = on_paint(across, z, ground.markings) & on_road & (wear > ground.markings.wear)
    colour[paint] = colour[paint] * np.float32(0.25) + np.float32(165)
    colour[on_rails(across, ground.markings) & on_road] = 70

    light = canvas.light
    sunlit = np.float32(light.ambient + light.direct * light.sun[1])
    shaded = np.float32(light.ambient * 0.85)
    colour *= np.where(_in_shadow(canvas, shadows)[first:], shaded, sunlit)[..., None]
    veil = (z / (z + np.float32(light.haze_distance)))[..., None]
    colour += (np.array(light.haze, np.float32) - colour) * veil
    canvas.image[first:] = np.clip(colour, 0, 255)


def _grain(across: np.ndarray, z: np.ndarray, fade: np.ndarray, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the noise of the ground and, of that, the broad patches of wear alone.

    The noise is looked up in ground coordinates, so that it shrinks with distance as it does on a real road.
    """
    fine = rng.integers(-128, 128, (256, 256)).astype(np.float32) / 128
    broad = smooth_noise(rng, 256, 256, 24)
    wear = broad[_cell(z * 4), _cell(across * 9)]
    return fine[_cell(z * 10), _cell(across * 20)] * fade + wear, wear


def _cell(position: np.ndarray) -> np.ndarray:
    """Return the index of positions in a tile of 256 cells that repeats."""
    return np.floor(position).astype(np.int32) & 255


def _on_joint(across: np.ndarray, z: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Return where there is a joint between slabs that are ``joints`` metres wide, 0 for no slabs."""
    paved = joints > 0
    size = np.where(paved, joints, np.float32(1))
    return paved & (((across / size) % 1 < 0.09) | ((z / size) % 1 < 0.09))


def _in_shadow(canvas: Canvas, shadows: Sequence[np.ndarray]) -> np.ndarray:
    """Return a boolean map (height, width) of the shadows."""
    mask = np.zeros(canvas.label.shape, np.uint8)
    for outline in shadows:
        points = np.insert(outline, 1, 0.0, axis=1)
        cv2.fillConvexPoly(mask, cv2.convexHull(canvas.project(points)), (1,), cv2.LINE_8, SUBPIXEL_BITS)
    return mask > 0
