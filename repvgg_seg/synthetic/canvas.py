"""The canvas: image and label map, into which polygons are filled as the camera sees them.

World coordinates are in metres: x to the right of the camera, y up from the ground, z ahead of the camera. Every
polygon is filled into the image and the label map with the same integer corners and without antialiasing, so that the
edges of both agree.

Whole images are computed only with operations that round in the same way everywhere (addition, multiplication and
division of IEEE 754, integer resampling, polygon filling). A scene therefore has the same pixels on every machine with
the same release of OpenCV.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike

from .camera import Camera
from .colours import Colour
from .labels import LABEL_ID
from .light import Light

NEAR = 0.7  # metres; points that are nearer are drawn at this depth
SUBPIXEL_BITS = 4


class Canvas:
    """Image (height, width, 3) uint8 BGR and label map (height, width) uint8, under one camera and one light."""

    def __init__(self, height: int, width: int, camera: Camera, light: Light) -> None:
        self.image = np.zeros((height, width, 3), np.uint8)
        self.label = np.full((height, width), LABEL_ID['sky'], np.uint8)
        self.camera, self.light = camera, light
        self.focal = camera.focal * width
        self.horizon = camera.horizon * height

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return the pixel positions (..., 2) int32 of world points (..., 3), with `SUBPIXEL_BITS` binary places."""
        scale = self.focal / np.maximum(points[..., 2], NEAR)
        pixels = np.empty((*scale.shape, 2))
        pixels[..., 0] = points[..., 0] * scale + self.label.shape[1] / 2
        pixels[..., 1] = (self.camera.height - points[..., 1]) * scale + self.horizon
        pixels -= 0.5  # OpenCV puts pixel centres at whole numbers
        return np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)

    def fill(
        self,
        points: ArrayLike,
        colour: Colour,
        name: str | None = None,
        normal: tuple[float, float, float] | None = None,
    ) -> None:
        """Fill one polygon or several.

        Args:
            points: world points of the corners, (N, 3) of one polygon or (M, N, 3) of several.
            colour: colour before shading.
            name: class of the pixels; without it only the image changes.
            normal: unit vector at right angles to the surface; without it, the surface is shaded as a round one.
        """
        points = np.asarray(points)
        if points.size and points[..., 2].max() > NEAR:
            polygons = self.project(points)
            self._paint(list(polygons) if points.ndim == 3 else [polygons], points, colour, name, normal)

    def hull(self, points: ArrayLike, colour: Colour, name: str | None = None) -> None:
        """Fill the outline of a convex, round body, given by points (N, 3) of its surface."""
        points = np.asarray(points)
        if points[:, 2].max() > NEAR:
            self._paint([cv2.convexHull(self.project(points))], points, colour, name, None)

    def _paint(
        self,
        polygons: list[np.ndarray],
        points: np.ndarray,
        colour: Colour,
        name: str | None,
        normal: tuple[float, float, float] | None,
    ) -> None:
        shade = self.light.shade(colour, max(NEAR, float(points[..., 2].min())), normal)
        cv2.fillPoly(self.image, polygons, shade, cv2.LINE_8, SUBPIXEL_BITS)
        if name is not None:
            cv2.fillPoly(self.label, polygons, (LABEL_ID[name],), cv2.LINE_8, SUBPIXEL_BITS)
