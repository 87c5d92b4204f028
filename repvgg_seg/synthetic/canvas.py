"""The pinhole camera, the light, and the canvas on which the things of a street are drawn.

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
