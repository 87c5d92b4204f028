"""Pinhole drawing of the things of a street: ground, sky, buildings, vehicles, people, trees, poles.

World coordinates are metres: x to the right of the camera, y up from the ground, z ahead of the camera.
Everything is filled into the image and into the label map with the same integer polygon, without
antialiasing, so both have the same edges.  Colours are BGR triples, 0 to 255, before lighting.

Only operations that round the same everywhere are used on whole images (IEEE add, multiply, divide,
integer resampling and polygon filling), so a scene has the same pixels on every machine with the same release of OpenCV.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from cityscapesscripts.helpers.labels import labels

LABEL_ID = {label.name: label.id for label in labels}
NEAR = 0.7  # metres; points nearer than this are drawn at this depth
SUBPIXEL_BITS = 4
CIRCLE = np.array([(math.cos(math.pi * k / 10), math.sin(math.pi * k / 10)) for k in range(20)])
ARCH = CIRCLE[:11]  # its upper half
TYRE, CHROME, GLASS = (34, 32, 32), (190, 188, 186), (72, 62, 52)

# Strength of the fine texture laid over each class, in grey levels.
GRAIN = np.full(256, 5, np.float32)
for _name, _strength in {
    'vegetation': 26,
    'terrain': 15,
    'building': 8,
    'wall': 11,
    'sky': 0,
    'person': 9,
}.items():
    GRAIN[LABEL_ID[_name]] = _strength


@dataclass(frozen=True)
class Camera:
    """Pinhole camera: focal length in image widths, horizon in image heights from the top, height in metres."""

    focal: float
    horizon: float
    height: float


@dataclass(frozen=True)
class Light:
    """Sun (unit vector towards it), strengths of sky and sun light, sky colours and haze distance in metres."""

    sun: tuple
    ambient: float
    direct: float
    zenith: tuple
    haze: tuple
    haze_distance: float
    clouds: float

    def shade(self, colour, depth, normal=None):
        """Colour of a surface as the camera sees it at ``depth`` metres; without a normal, a round thing."""
        facing = 0.6 if normal is None else max(0.0, sum(n * s for n, s in zip(normal, self.sun, strict=True)))
        strength = self.ambient + self.direct * facing
        veil = depth / (depth + self.haze_distance)
        return tuple(min(255.0, c * strength) * (1 - veil) + h * veil for c, h in zip(colour, self.haze, strict=True))

    def shadow_of(self, footprint, height):
        """Ground outline (N, 2) of (x, z) of the shadow of an upright thing ``height`` metres tall."""
        reach = min(height / self.sun[1], 25.0)
        shift = np.array((-self.sun[0] * reach, -self.sun[2] * reach))
        return np.concatenate((footprint, footprint + shift))


@dataclass(frozen=True)
class Street:
    """Course of the road: its centre line lies at x = offset + slope * z + curve * z ** 2."""

    offset: float
    slope: float
    curve: float

    def centre(self, z):
        return self.offset + z * (self.slope + self.curve * z)

    def x(self, across, z):
        """World x of the point ``across`` metres right of the centre line at depth z."""
        return across + self.centre(z)

    def upright(self, across, z0, z1, y0, y1):
        """Corners (4, 3) of an upright panel that runs along the street from z0 to z1."""
        x0, x1 = self.x(across, z0), self.x(across, z1)
        return np.array(((x0, y0, z0), (x1, y0, z1), (x1, y1, z1), (x0, y1, z0)))


@dataclass(frozen=True)
class Pose:
    """Place (x, z) of a thing on the ground and its heading in radians (0 drives away, pi towards us)."""

    x: float
    z: float
    heading: float = 0.0

    @cached_property
    def axes(self):
        return math.cos(self.heading), math.sin(self.heading)

    def world(self, local):
        """World points of local ones (..., 3): (to the right of the thing, up, along its heading)."""
        cos, sin = self.axes
        across, up, along = np.moveaxis(np.asarray(local, np.float64), -1, 0)
        return np.stack((self.x + across * cos + along * sin, up, self.z - across * sin + along * cos), -1)

    def camera_position(self):
        """(across, along) of the camera in the thing's own axes."""
        cos, sin = self.axes
        return -self.x * cos + self.z * sin, -self.x * sin - self.z * cos


class Canvas:
    """Image (height, width, 3) uint8 BGR and label map (height, width) uint8 under one camera and light."""

    def __init__(self, height, width, camera, light):
        self.image = np.zeros((height, width, 3), np.uint8)
        self.label = np.full((height, width), LABEL_ID['sky'], np.uint8)
        self.camera, self.light = camera, light
        self.focal = camera.focal * width
        self.horizon = camera.horizon * height

    def project(self, points):
        """Fixed-point pixel positions (..., 2) int32 of world points (..., 3)."""
        scale = self.focal / np.maximum(points[..., 2], NEAR)
        pixels = np.empty((*scale.shape, 2))
        pixels[..., 0] = points[..., 0] * scale + self.label.shape[1] / 2
        pixels[..., 1] = (self.camera.height - points[..., 1]) * scale + self.horizon
        pixels -= 0.5  # OpenCV puts pixel centres at whole numbers
        return np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def fill(self, points, colour, name=None, normal=None):
        """Fills one polygon (N, 3) or many (M, N, 3); without a class name only the image changes."""
        points = np.asarray(points)
        if points.size and points[..., 2].max() > NEAR:
            polygons = self.project(points)
            self._paint(list(polygons) if points.ndim == 3 else [polygons], points, colour, name, normal)

    def hull(self, points, colour, name=None, normal=None):
        """Fills the outline of a convex body given by points (N, 3) of its surface."""
        points = np.asarray(points)
        if points[:, 2].max() > NEAR:
            self._paint([cv2.convexHull(self.project(points))], points, colour, name, normal)

    def _paint(self, polygons, points, colour, name, normal):
        shade = self.light.shade(colour, max(NEAR, float(points[..., 2].min())), normal)
        cv2.fillPoly(self.image, polygons, shade, cv2.LINE_8, SUBPIXEL_BITS)
        if name is not None:
            cv2.fillPoly(self.label, polygons, LABEL_ID[name], cv2.LINE_8, SUBPIXEL_BITS)


def smooth_noise(rng, height, width, cells):
    """Value noise (height, width) float32 in [-1, 1) with ``cells`` grid cells from top to bottom."""
    grid = rng.integers(0, 256, (cells, 2 * cells), np.uint8)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR_EXACT).astype(np.float32) / 128 - 1


def tint(rng, colour, spread=12):
    """The colour with a random change of brightness and, less, of hue."""
    common = rng.uniform(-spread, spread)
    return tuple(min(250.0, max(8.0, c + common + rng.uniform(-spread, spread) / 3)) for c in colour)


def patches(quad, rectangles):
    """World corners (M, 4, 3) of rectangles (M, 4) = (u0, u1, v0, v1) in [0, 1] on a panel (4, 3)."""
    rectangles = np.asarray(rectangles, np.float64)
    u = rectangles[:, (0, 1, 1, 0), None]
    v = rectangles[:, (2, 2, 3, 3), None]
    return (1 - v) * ((1 - u) * quad[0] + u * quad[1]) + v * ((1 - u) * quad[3] + u * quad[2])


def disc(centre, radius, axis=(1.0, 0.0)):
    """Points (20, 3) on an upright circle whose plane holds the ground direction ``axis`` = (x, z)."""
    return CIRCLE[:, (0, 1, 0)] * (axis[0] * radius, radius, axis[1] * radius) + centre


def draw_limb(canvas, start, end, radius, colour, name):
    """A rounded bar between two world points: leg, arm, tube, branch."""
    canvas.hull(np.concatenate((disc(start, radius), disc(end, radius))), colour, name)


def draw_sky(canvas, rng):
    """Gradient from zenith to haze with clouds that flatten towards the horizon."""
    height, width = canvas.label.shape
    rows = int(canvas.horizon) + 1
    light = canvas.light
    down = (np.arange(rows, dtype=np.float32) / rows)[:, None, None]
    zenith, haze = np.array(light.zenith, np.float32), np.array(light.haze, np.float32)
    sky = zenith + (haze - zenith) * down * (2 - down)
    puffs = sum(smooth_noise(rng, height, width, cells)[:rows] / weight for cells, weight in ((4, 1), (9, 2), (20, 4)))
    cover = np.clip(puffs * 0.9 + light.clouds, 0, 1)[..., None] * np.float32(0.75) * (1 - down * down)
    canvas.image[:rows] = np.clip(sky + (np.float32(238) - sky) * cover, 0, 255)


def draw_skyline(canvas, rng):
    """Far trees and blocks that close the view, so that sky seldom touches the road."""
    z = 170.0
    span = 0.6 * z / canvas.camera.focal
    x = -span
    while x < span:
        wide = rng.uniform(4, 22)
        leafy = rng.random() < 0.5
        top = rng.uniform(4, 11) if leafy else rng.uniform(6, 26)
        colour = tint(rng, (60, 90, 75) if leafy else (120, 125, 135), 20)
        if leafy:
            humps = np.stack((x + wide * (ARCH[:, 0] + 1) / 2, top * ARCH[:, 1], np.full(len(ARCH), z)), -1)
            canvas.fill(humps, colour, 'vegetation')
        else:
            canvas.fill(((x, 0, z), (x + wide, 0, z), (x + wide, top, z), (x, top, z)), colour, 'building')
        x += wide * rng.uniform(0.5, 1.1)


@dataclass(frozen=True)
class GroundStrip:
    """A lane of ground along the street up to ``edge`` metres right of the centre line."""

    edge: float
    name: str
    colour: tuple
    grain: float  # grey levels of its noise
    joints: float = 0.0  # metres between paving joints, 0 for none


@dataclass(frozen=True)
class RoadPlan:
    """What is painted on the road: metres across of lines, stretch (z0, z1) of a cross street, tram rails."""

    strips: tuple
    dashed: tuple
    solid: tuple
    crossing: tuple | None
    rails: tuple
    wear: float


def draw_ground(canvas, street, plan, shadows, rng):
    """Shades every pixel below the horizon from its place (across, z) on the ground plane."""
    height, width = canvas.label.shape
    first = int(canvas.horizon) + 1
    below = np.arange(first, height, dtype=np.float32)[:, None] + np.float32(0.5 - canvas.horizon)
    z = np.minimum(np.float32(canvas.focal * canvas.camera.height) / below, np.float32(400))
    sideways = (np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)) / np.float32(canvas.focal)
    across = sideways * z - street.centre(z).astype(np.float32)

    strip = np.searchsorted(np.array([s.edge for s in plan.strips[:-1]], np.float32), across)
    road = next(i for i, s in enumerate(plan.strips) if s.name == 'road')
    if plan.crossing is not None:
        strip[(z[:, 0] > plan.crossing[0]) & (z[:, 0] < plan.crossing[1])] = road
    canvas.label[first:] = np.array([LABEL_ID[s.name] for s in plan.strips], np.uint8)[strip]
    colour = np.array([s.colour for s in plan.strips], np.float32)[strip]

    # Grain is looked up in ground coordinates, so it shrinks with distance as it does on a real road.
    tile = rng.integers(-128, 128, (256, 256)).astype(np.float32) / 128
    patches_of_wear = smooth_noise(rng, 256, 256, 24)
    column, row = (np.floor(across * 20)).astype(np.int32) & 255, (np.floor(z * 10)).astype(np.int32) & 255
    broad_column, broad_row = (
        (np.floor(across * 9)).astype(np.int32) & 255,
        (np.floor(z * 4)).astype(np.int32) & 255,
    )
    fade = np.float32(12) / (np.float32(12) + z)
    broad = patches_of_wear[broad_row, broad_column]
    grain = tile[row, column] * fade + broad
    strength = np.array([s.grain for s in plan.strips], np.float32)[strip] * grain
    joint = np.array([s.joints for s in plan.strips], np.float32)[strip]
    paved = joint > 0
    size = np.where(paved, joint, np.float32(1))
    on_joint = paved & (((across / size) % 1 < 0.09) | ((z / size) % 1 < 0.09))
    strength -= on_joint * np.float32(26) * fade
    colour += strength[..., None]

    paint = road_paint(across, z, plan) & (strip == road) & (broad > plan.wear)
    colour[paint] = colour[paint] * np.float32(0.25) + np.float32(165)
    for rail in plan.rails:
        colour[(np.abs(across - np.float32(rail)) < 0.06) & (strip == road)] = 70

    light = canvas.light
    mask = np.zeros((height, width), np.uint8)
    for outline in shadows:
        points = np.insert(outline, 1, 0.0, axis=1)
        cv2.fillConvexPoly(mask, cv2.convexHull(canvas.project(points)), 1, cv2.LINE_8, SUBPIXEL_BITS)
    sunlit = np.float32(light.ambient + light.direct * light.sun[1])
    colour *= np.where(mask[first:] > 0, np.float32(light.ambient * 0.85), sunlit)[..., None]
    veil = (z / (z + np.float32(light.haze_distance)))[..., None]
    colour += (np.array(light.haze, np.float32) - colour) * veil
    canvas.image[first:] = np.clip(colour, 0, 255)


def road_paint(across, z, plan):
    """Boolean map of the white paint: dashed and solid lines and the zebra before a cross street."""
    paint = np.zeros(across.shape, bool)
    for line in plan.dashed:
        paint |= (np.abs(across - np.float32(line)) < 0.09) & (z % 6 < 3)
    for line in plan.solid:
        paint |= np.abs(across - np.float32(line)) < 0.07
    if plan.crossing is not None:
        start, end = plan.crossing
        paint &= (z < start - 5) | (z > end + 1)
        paint |= (z > start - 4) & (z < start - 1) & (across % 1 < 0.5)
    return paint


@dataclass(frozen=True)
class Building:
    """Look of one building: colours, storeys of 3.2 m, and the share of a bay that is window."""

    side: int  # -1 left of the road, 1 right of it
    across: float  # metres from the centre line to its front
    storeys: int
    wall: tuple
    base: tuple
    window: tuple
    roof: tuple
    roof_height: float
    window_share: float
    brick: bool

    @property
    def height(self):
        return 3.2 * self.storeys + 0.8


def draw_facade_bay(canvas, street, building, z0, z1, rng):
    """The stretch z0 to z1 of a street front: wall, ground floor, a column of windows, roof."""
    normal = (-float(building.side), 0.0, 0.0)
    front = street.upright(building.across, z0, z1, 0.0, building.height)
    canvas.fill(front, building.wall, 'building', normal)
    storey = 1 / building.storeys * (building.height - 0.8) / building.height
    if building.brick and z0 < 30:
        courses = np.arange(0.02, 1, 0.25 / building.height)
        lines = [(0, 1, v, v + 0.05 / building.height) for v in courses]
        canvas.fill(patches(front, lines), tuple(c * 0.88 for c in building.wall), None, normal)
    canvas.fill(patches(front, [(0, 1, 0, storey)]), building.base, None, normal)
    low, high = 0.5 - building.window_share / 2, 0.5 + building.window_share / 2
    panes = [(low, high, (k + 0.28) * storey, (k + 0.85) * storey) for k in range(1, building.storeys)]
    panes.append((0.12, 0.88, 0.12 * storey, 0.8 * storey) if rng.random() < 0.7 else (0.35, 0.7, 0, 0.75 * storey))
    frames = [(u0 - 0.04, u1 + 0.04, v0 - 0.08 * storey, v1 + 0.03 * storey) for u0, u1, v0, v1 in panes]
    canvas.fill(patches(front, frames), tuple(c * 0.7 + 70 for c in building.wall), None, normal)
    shut = rng.random(len(panes)) < 0.25
    for blind, colour in ((False, building.window), (True, tuple(c * 0.5 + 80 for c in building.window))):
        canvas.fill(
            patches(front, [p for p, s in zip(panes, shut, strict=True) if s == blind] or np.empty((0, 4))), colour
        )
    canvas.fill(patches(front, [(0, 1, 0.975, 1)]), tuple(c * 0.75 for c in building.wall), None, normal)
    if building.roof_height:
        back = np.array((building.side * 3.0, building.roof_height, 0.0))
        canvas.fill((front[3], front[2], front[2] + back, front[3] + back), building.roof, 'building')


def draw_gable(canvas, street, building, z, depth):
    """The end wall of a building that faces the camera at z, ``depth`` metres away from the road."""
    x0 = street.x(building.across, z)
    x1, x2 = x0 + building.side * 3.0, x0 + building.side * depth
    top, ridge = building.height, building.height + building.roof_height
    outline = ((x0, 0, z), (x2, 0, z), (x2, ridge, z), (x1, ridge, z), (x0, top, z))
    canvas.fill(outline, tuple(c * 0.92 for c in building.wall), 'building', (0.0, 0.0, -1.0))
    quad = np.array(((x0, 0, z), (x2, 0, z), (x2, top, z), (x0, top, z)))
    rows = [(k + 0.3) / building.storeys for k in range(1, building.storeys)]
    panes = [(u, u + 0.08, v, v + 0.5 / building.storeys) for v in rows for u in (0.15, 0.45, 0.75)]
    canvas.fill(patches(quad, panes or np.empty((0, 4))), building.window)


def draw_wall(canvas, street, side, across, z0, z1, height, colour):
    """A masonry wall along the street with courses and a coping."""
    normal = (-float(side), 0.0, 0.0)
    panel = street.upright(across, z0, z1, 0.0, height)
    canvas.fill(panel, colour, 'wall', normal)
    joints = [(0, 1, v, v + 0.035) for v in np.arange(0.12, 0.9, 0.16)] + [
        (0.0, 0.02, 0, 1),
        (0.5, 0.52, 0, 1),
    ]
    canvas.fill(patches(panel, joints), tuple(c * 0.82 for c in colour), None, normal)
    canvas.fill(patches(panel, [(0, 1, 0.93, 1)]), tuple(min(255, c * 1.15) for c in colour), None, normal)


def draw_fence(canvas, street, side, across, z0, z1, height, colour):
    """A picket fence along the street: pales and two rails before a dark backing."""
    normal = (-float(side), 0.0, 0.0)
    panel = street.upright(across, z0, z1, 0.0, height)
    canvas.fill(panel, tuple(c * 0.45 + 12 for c in colour), 'fence', normal)
    pales = [(u, u + 0.055, 0, 1) for u in np.arange(0.0, 1, 0.1)]
    canvas.fill(patches(panel, [*pales, (0, 1, 0.18, 0.26), (0, 1, 0.78, 0.88)]), colour, None, normal)


def draw_leaves(canvas, centres, radius, colour, rng):
    """Clumps of leaves (polygons of five corners) around centres (N, 3), darker below than above."""
    order = np.argsort(centres[:, 1], kind='stable')
    for part, gain in zip(np.array_split(order, 3), (0.62, 0.85, 1.12), strict=True):
        corners = rng.uniform(0.55, 1.0, (len(part), 5)) * radius
        angles = CIRCLE[(0, 3, 8, 12, 17), :]
        clumps = np.repeat(centres[part][:, None], 5, axis=1)
        clumps[..., :2] += corners[..., None] * angles
        canvas.fill(clumps, tuple(c * gain for c in colour), 'vegetation')


def draw_hedge(canvas, street, across, z0, z1, height, colour, rng):
    """A clipped hedge along the street."""
    panel = street.upright(across, z0, z1, 0.0, height)
    canvas.fill(panel, tuple(c * 0.7 for c in colour), 'vegetation')
    u, v = rng.random(14), rng.uniform(0.1, 1.0, 14)
    draw_leaves(canvas, patches(panel, np.stack((u, u, v, v), -1))[:, 0], height * 0.16, colour, rng)


def draw_tree(canvas, pose, height, colour, rng):
    """Trunk and a crown of overlapping round boughs; all of it is vegetation in Cityscapes."""
    spread = height * rng.uniform(0.24, 0.34)
    bole = height * 0.35
    draw_limb(canvas, (pose.x, 0, pose.z), (pose.x, bole * 1.3, pose.z), height * 0.022, (44, 60, 76), 'vegetation')
    turn = rng.uniform(0, 1, 11)
    lift = np.sort(rng.uniform(0, 1, 11))
    for u, v in zip(turn, lift, strict=True):
        narrow = 1 - abs(2 * v - 0.8) * 0.6
        x = pose.x + (2 * u - 1) * spread * narrow
        y = bole + v * (height - bole) * 0.85
        gain = 0.6 + 0.5 * v - 0.15 * (2 * u - 1) * (-1 if canvas.light.sun[0] > 0 else 1)
        canvas.hull(disc((x, y, pose.z), spread * 0.5), tuple(c * gain for c in colour), 'vegetation')
    centres = np.stack((turn * 2 - 1, lift, np.zeros(11)), -1)
    centres = np.concatenate((centres, centres[::-1] * (0.9, 1, 0), centres * (1.15, 1.0, 0), centres * (0.4, 0.9, 0)))
    centres = centres * (spread, (height - bole) * 0.95, 0) + (pose.x, bole, pose.z)
    draw_leaves(canvas, centres, spread * 0.22, colour, rng)


def draw_pole(canvas, pose, height, radius, colour):
    """A bare upright pole."""
    x, z = pose.x, pose.z
    canvas.fill(
        (
            (x - radius, 0, z),
            (x + radius, 0, z),
            (x + radius * 0.7, height, z),
            (x - radius * 0.7, height, z),
        ),
        colour,
        'pole',
    )


def draw_lamp(canvas, pose, side, colour):
    """A street lamp whose arm reaches over the road."""
    draw_pole(canvas, pose, 7.5, 0.1, colour)
    end = (pose.x - side * 1.8, 7.9, pose.z)
    draw_limb(canvas, (pose.x, 7.4, pose.z), end, 0.06, colour, 'pole')
    draw_limb(canvas, end, (end[0] - side * 0.5, 7.85, pose.z), 0.12, (150, 160, 165), 'pole')


def draw_sign(canvas, pose, kind, face, rng):
    """A traffic sign on its pole; ``kind`` is 'disc', 'triangle' or 'board'."""
    height = rng.uniform(2.3, 2.9)
    draw_pole(canvas, pose, height, 0.045, (140, 142, 140))
    centre = (pose.x, height, pose.z - 0.05)
    if kind == 'board':
        half, tall = rng.uniform(0.35, 0.75), rng.uniform(0.25, 0.45)
        outline = np.array(((-half, -tall, 0), (half, -tall, 0), (half, tall, 0), (-half, tall, 0))) + centre
    else:
        triangle = np.array(((-0.45, -0.32, 0), (0.45, -0.32, 0), (0, 0.46, 0))) + centre
        outline = triangle if kind == 'triangle' else disc(centre, 0.42)
    rim, ground = ((235, 235, 235), face) if kind == 'board' else (face, (232, 232, 230))
    canvas.fill(outline, rim, 'traffic sign')
    canvas.fill((outline - centre) * 0.78 + centre, ground)
    canvas.fill((outline - centre) * (0.4, 0.15, 0) + centre, (40, 40, 40) if kind != 'board' else (235, 235, 235))


def draw_traffic_light(canvas, pose, side, lit, rng):
    """A signal on a pole, sometimes with a second head over the road; ``lit`` is the lamp from the top."""
    over = rng.random() < 0.5
    pole = (105, 108, 104)
    draw_pole(canvas, pose, 5.6 if over else 3.0, 0.08, pole)
    heads = [(pose.x, 2.9)]
    if over:
        reach = pose.x - side * rng.uniform(2.5, 4.0)
        draw_limb(canvas, (pose.x, 5.5, pose.z), (reach, 5.6, pose.z), 0.06, pole, 'pole')
        heads.append((reach, 5.3))
    for x, y in heads:
        box = np.array(((-0.2, -0.55, 0), (0.2, -0.55, 0), (0.2, 0.55, 0), (-0.2, 0.55, 0)))
        canvas.fill(box + (x, y, pose.z - 0.1), (42, 46, 40), 'traffic light')
        for k, colour in enumerate(((40, 40, 235), (30, 190, 250), (110, 220, 60))):
            shown = colour if k == lit else tuple(c * 0.25 for c in colour)
            canvas.fill(disc((x, y + 0.34 - 0.34 * k, pose.z - 0.12), 0.13), shown)


def draw_box(canvas, pose, size, colour, name, taper=(0.0, 0.0, 0.0), details=None):
    """A box of ``size`` = (half width, bottom, top, rear, front) metres, seen faces only.

    ``taper`` is how far sides, rear and front lean in at the top; ``details`` maps a face to
    (rectangle, colour) pairs painted on it, u from rear to front (sides) or left to right.
    """
    half, bottom, top, rear, front = size
    upper = (half - taper[0], rear + taper[1], front - taper[2])
    seen_across, seen_along = pose.camera_position()
    cos, sin = pose.axes

    def panel(low, high):
        (a0, l0), (a1, l1) = low
        (b0, m0), (b1, m1) = high
        return pose.world(((a0, bottom, l0), (a1, bottom, l1), (b1, top, m1), (b0, top, m0)))

    faces = []
    for sign, edge, at, visible in ((-1, rear, 1, seen_along < rear), (1, front, 2, seen_along > front)):
        if visible:
            quad = panel(((-half, edge), (half, edge)), ((-upper[0], upper[at]), (upper[0], upper[at])))
            faces.append(('rear' if sign < 0 else 'front', quad, (sign * sin, 0.0, sign * cos)))
    for sign in (-1, 1):
        if sign * seen_across > half:
            quad = panel(
                ((sign * half, rear), (sign * half, front)),
                ((sign * upper[0], upper[1]), (sign * upper[0], upper[2])),
            )
            faces.append(('side', quad, (sign * cos, 0.0, -sign * sin)))
    if canvas.camera.height > top:
        corners = ((-upper[0], upper[1]), (upper[0], upper[1]), (upper[0], upper[2]), (-upper[0], upper[2]))
        faces.append(('top', pose.world([(a, top, along) for a, along in corners]), (0.0, 1.0, 0.0)))
    for face, quad, normal in faces:
        canvas.fill(quad, colour, name, normal)
        for rectangle, paint in (details or {}).get(face, ()):
            canvas.fill(patches(quad, [rectangle])[0], paint, None, normal)


def draw_wheels(canvas, pose, half, radius, places, name):
    """Wheels at ``places`` along the side that the camera sees."""
    seen_across, _ = pose.camera_position()
    if abs(seen_across) < half:
        return
    cos, sin = pose.axes
    across = math.copysign(half, seen_across)
    for along in places:
        centre = pose.world((across, radius, along))
        canvas.fill(disc(centre, radius, (sin, cos)), TYRE, name)
        canvas.fill(disc(centre, radius * 0.55, (sin, cos)), (120, 120, 120))


def draw_car(canvas, pose, colour, shape):
    """A car; ``shape`` = (length, height, cabin rear, cabin front, lean of windscreen) metres."""
    length, height, cabin_rear, cabin_front, lean = shape
    end, half = length / 2, 0.88
    draw_box(canvas, pose, (half - 0.06, 0.03, 0.4, -end + 0.25, end - 0.25), TYRE, 'car')
    dark, red = tuple(c * 0.45 for c in colour), (30, 25, 190)
    rear = [((0.02, 0.98, 0, 0.25), dark), ((0.02, 0.2, 0.55, 0.9), red), ((0.8, 0.98, 0.55, 0.9), red)]
    rear.append(((0.36, 0.64, 0.35, 0.55), (215, 220, 220)))
    lamp = (235, 240, 240)
    front = [
        ((0.15, 0.85, 0.05, 0.45), dark),
        ((0.03, 0.22, 0.55, 0.85), lamp),
        ((0.78, 0.97, 0.55, 0.85), lamp),
    ]
    side = [((0, 1, 0, 0.12), dark), ((0.5, 0.505, 0.1, 1), dark), ((0.28, 0.285, 0.1, 1), dark)]
    body = (half, 0.22, 0.6 * height + 0.05, -end, end)
    draw_box(canvas, pose, body, colour, 'car', (0.05, 0.08, 0.12), {'rear': rear, 'front': front, 'side': side})
    draw_wheels(canvas, pose, half, 0.32, (-end * 0.62, end * 0.64), 'car')
    windows = [((0.05, 0.48, 0.12, 0.86), GLASS), ((0.52, 0.93, 0.12, 0.86), GLASS)]
    screen = [((0.06, 0.94, 0.1, 0.88), GLASS)]
    cabin = (half - 0.08, 0.6 * height + 0.03, height, cabin_rear, cabin_front)
    draw_box(
        canvas,
        pose,
        cabin,
        colour,
        'car',
        (0.16, 0.3, lean),
        {'rear': screen, 'front': screen, 'side': windows},
    )


def draw_truck(canvas, pose, colour, load):
    """A lorry: driver's cab ahead of a box body."""
    draw_box(canvas, pose, (1.05, 0.05, 0.9, -3.6, 3.4), (40, 40, 42), 'truck')
    lights = [((0.02, 0.12, 0.0, 0.06), (30, 25, 190)), ((0.88, 0.98, 0.0, 0.06), (30, 25, 190))]
    doors = [((0.495, 0.505, 0.05, 0.95), tuple(c * 0.5 for c in load)), *lights]
    stripe = [((0.1, 0.7, 0.45, 0.7), colour)]
    body = ((1.22, 0.85, 3.4, -3.8, 1.7), load, 'truck', (0, 0, 0), {'rear': doors, 'side': stripe})
    screen = [
        ((0.08, 0.92, 0.5, 0.9), GLASS),
        ((0.05, 0.2, 0.08, 0.2), CHROME),
        ((0.8, 0.95, 0.08, 0.2), CHROME),
    ]
    screen.append(((0.25, 0.75, 0.12, 0.4), (50, 50, 50)))
    cab = (
        (1.15, 0.5, 2.7, 1.8, 3.7),
        colour,
        'truck',
        (0.08, 0, 0.25),
        {'front': screen, 'side': [((0.3, 0.85, 0.5, 0.9), GLASS)]},
    )
    towards = pose.camera_position()[1] > 0
    for part in (body, cab) if towards else (cab, body):
        draw_box(canvas, pose, *part)
    draw_wheels(canvas, pose, 1.2, 0.48, (-2.6, 2.5), 'truck')


def draw_bus(canvas, pose, colour, name='bus', length=11.0, height=3.1, panes=8):
    """A bus or, with name 'train', a tram car: rows of windows, doors, destination board."""
    end = length / 2
    trim = tuple(c * 0.55 for c in colour)
    wide = 0.9 / panes
    side = [((0.04 + k * wide, 0.04 + (k + 0.86) * wide, 0.45, 0.82), GLASS) for k in range(panes)]
    side += [
        ((0.05 + 2 * k * wide, 0.05 + (2 * k + 0.7) * wide, 0.06, 0.82), (60, 55, 50)) for k in (1, panes // 2 - 1)
    ]
    side += [((0, 1, 0.0, 0.12), trim), ((0, 1, 0.36, 0.4), trim)]
    lamps = [((0.05, 0.17, 0.14, 0.2), (225, 230, 230)), ((0.83, 0.95, 0.14, 0.2), (225, 230, 230))]
    front = [
        ((0.06, 0.94, 0.36, 0.82), GLASS),
        ((0.2, 0.8, 0.86, 0.95), (20, 120, 160)),
        ((0, 1, 0, 0.1), trim),
        *lamps,
    ]
    tail = [((0.04, 0.12, 0.15, 0.3), (30, 25, 190)), ((0.88, 0.96, 0.15, 0.3), (30, 25, 190))]
    rear = [((0.1, 0.9, 0.5, 0.85), GLASS), ((0.2, 0.8, 0.12, 0.35), trim), *tail]
    draw_box(canvas, pose, (1.1, 0.04, 0.45, -end + 0.4, end - 0.4), TYRE, name)
    faces = {'front': front, 'rear': rear, 'side': side}
    draw_box(canvas, pose, (1.26, 0.3, height, -end, end), colour, name, (0.08, 0.04, 0.15), faces)
    if name == 'bus':
        draw_wheels(canvas, pose, 1.26, 0.48, (-end * 0.55, end * 0.6), name)


def draw_tram(canvas, pose, colour, cars):
    """A tram of several cars in line, far cars first."""
    length = 10.5
    order = sorted(range(cars), key=lambda k: -float(pose.world((0, 0, (k - (cars - 1) / 2) * length))[2]))
    for k in order:
        x, _, z = pose.world((0, 0, (k - (cars - 1) / 2) * length))
        draw_bus(canvas, Pose(float(x), float(z), pose.heading), colour, 'train', length - 0.3, 3.4, 6)


def draw_two_wheeler(canvas, pose, colour, name):
    """A bicycle or motorcycle; both wheels are drawn as solid discs, as the data set labels them."""
    heavy = name == 'motorcycle'
    radius, thick = (0.32, 0.09) if heavy else (0.34, 0.035)
    base = 0.68 if heavy else 0.54
    cos, sin = pose.axes
    for along in (-base, base):
        sides = [disc(pose.world((side * thick, radius, along)), radius, (sin, cos)) for side in (-1, 1)]
        canvas.hull(np.concatenate(sides), TYRE, name)
        canvas.fill(disc(pose.world((0, radius, along)), radius * 0.72, (sin, cos)), (125, 128, 130))

    def tube(start, end, size, paint):
        draw_limb(canvas, pose.world((0, *start)), pose.world((0, *end)), size, paint, name)

    if heavy:
        tube((0.5, -0.35), (0.45, 0.3), 0.2, (60, 60, 62))
        tube((0.82, -0.7), (0.78, 0.0), 0.1, (30, 30, 30))
        tube((0.85, 0.0), (0.8, 0.4), 0.16, colour)
    tube((radius, base), (1.0, base * 0.75), 0.05 if heavy else 0.03, CHROME if heavy else colour)
    handle = [pose.world((side * 0.3, 1.04, base * 0.7)) for side in (-1, 1)]
    draw_limb(canvas, *handle, 0.045, (40, 40, 40), name)
    if not heavy:
        for start, end in (
            ((radius, -base), (0.85, -0.2)),
            ((0.3, 0), (0.85, -0.2)),
            ((0.3, 0), (0.85, base * 0.75)),
        ):
            tube(start, end, 0.03, colour)
        tube((0.82, -0.2), (0.82, base * 0.78), 0.03, colour)
        tube((0.92, -0.32), (0.92, -0.1), 0.05, (35, 35, 40))


@dataclass(frozen=True)
class Figure:
    """Looks of a person: height in metres and colours."""

    height: float
    coat: tuple
    trousers: tuple
    skin: tuple
    hair: tuple


def draw_head(canvas, x, y, z, figure, name):
    canvas.fill(disc((x, y, z), 0.125), figure.hair, name)
    canvas.fill(disc((x + 0.015, y - 0.03, z - 0.02), 0.1), figure.skin, name)


def draw_person(canvas, pose, figure, stride):
    """A pedestrian; ``stride`` in [0, 1] opens legs and arms."""
    k = figure.height / 1.75
    x, z = pose.x, pose.z
    for side in (-1, 1):
        foot = x + side * (0.09 + 0.22 * stride) * k
        draw_limb(canvas, (foot, 0.06, z), (x + side * 0.09 * k, 0.85 * k, z), 0.085 * k, figure.trousers, 'person')
    for side in (-1, 1):
        hand = (x + side * (0.27 + 0.18 * stride) * k, 0.85 * k, z)
        draw_limb(
            canvas,
            hand,
            (x + side * 0.2 * k, 1.38 * k, z),
            0.06 * k,
            tuple(c * 0.85 for c in figure.coat),
            'person',
        )
    trunk = [
        disc((x + side * 0.12 * k, y * k, z), 0.1 * k) for side, y in ((-1, 0.85), (1, 0.85), (-1, 1.38), (1, 1.38))
    ]
    canvas.hull(np.concatenate(trunk), figure.coat, 'person')
    draw_head(canvas, x, figure.height - 0.12, z, figure, 'person')


def draw_rider(canvas, pose, figure, colour, name):
    """Someone riding a 'bicycle' or 'motorcycle'; the person is a rider, the machine keeps its class."""
    draw_two_wheeler(canvas, pose, colour, name)
    for side in (-1, 1):
        hip, knee = pose.world((side * 0.12, 0.95, -0.2)), pose.world((side * 0.16, 0.7, 0.18))
        draw_limb(canvas, hip, knee, 0.085, figure.trousers, 'rider')
        draw_limb(canvas, knee, pose.world((side * 0.14, 0.3, 0.02)), 0.07, figure.trousers, 'rider')
    hips, chest = pose.world((0, 1.0, -0.2)), pose.world((0, 1.45, 0.08))
    trunk = [
        disc(pose.world((side * 0.14, y, along)), 0.13) for side in (-1, 1) for y, along in ((1.0, -0.2), (1.42, 0.05))
    ]
    canvas.hull(np.concatenate(trunk), figure.coat, 'rider')
    for side in (-1, 1):
        draw_limb(
            canvas,
            pose.world((side * 0.22, 1.4, 0.06)),
            pose.world((side * 0.28, 1.05, 0.36)),
            0.06,
            figure.coat,
            'rider',
        )
    draw_head(canvas, float(chest[0]), 1.72, float(hips[2]) - 0.05, figure, 'rider')


def draw_bin(canvas, pose, colour):
    """A litter bin: street clutter that Cityscapes leaves unlabelled."""
    draw_box(canvas, pose, (0.3, 0.0, 1.05, -0.3, 0.3), colour, 'unlabeled', (-0.05, -0.05, -0.05))


def draw_bonnet(canvas, colour, rise):
    """The bonnet of the camera's own car along the bottom edge, ``rise`` image heights high."""
    height, width = canvas.label.shape
    across = ARCH[:, 0] * 0.62 + 0.5
    for shrink, gain in ((1.0, 0.7), (0.6, 1.0)):
        up = 1 - rise * shrink * ARCH[:, 1]
        outline = np.rint(np.stack((across * width, up * height), -1)).astype(np.int32)
        cv2.fillConvexPoly(canvas.image, outline, tuple(c * gain for c in colour))
        cv2.fillConvexPoly(canvas.label, outline, LABEL_ID['ego vehicle'])


def develop(canvas, rng):
    """What the camera adds: material grain, exposure and colour cast, vignette, slight blur, sensor noise."""
    height, width = canvas.label.shape
    fine = smooth_noise(rng, height, width, 128) + smooth_noise(rng, height, width, 40)
    image = canvas.image + (GRAIN[canvas.label] * fine)[..., None]
    gain = np.array([rng.uniform(0.92, 1.08) for _ in range(3)], np.float32) * np.float32(rng.uniform(0.88, 1.2))
    rows = (np.arange(height, dtype=np.float32) / height - np.float32(0.5))[:, None]
    columns = np.arange(width, dtype=np.float32) / width - np.float32(0.5)
    vignette = 1 - np.float32(rng.uniform(0, 0.45)) * (rows * rows + columns * columns)
    image *= vignette[..., None] * gain
    softness = np.float32(rng.uniform(0.05, 0.22))
    image[1:-1] += softness * (image[2:] + image[:-2] - 2 * image[1:-1])
    image[:, 1:-1] += softness * (image[:, 2:] + image[:, :-2] - 2 * image[:, 1:-1])
    level = rng.uniform(1.0, 5.0)
    noise = rng.integers(-64, 65, (2, height, width, 3), np.int8)
    image += (noise[0].astype(np.float32) + noise[1]) * np.float32(level / 52)  # triangular, of deviation ``level``
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
