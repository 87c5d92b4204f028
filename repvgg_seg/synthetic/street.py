"""What stands along a street, drawn: sky, ground, buildings, walls, trees, poles, signs."""

from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import ARCH, CIRCLE, LABEL_ID, SUBPIXEL_BITS, disc, draw_limb, patches, smooth_noise, tint


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
