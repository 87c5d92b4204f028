"""Buildings: facades with windows, gables and roofs."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ..canvas import Canvas
from ..colours import ROOFS, WALLS, Colour, pick, scaled, tint
from ..scene_builder import SceneBuilder
from ..shapes import patches
from ..street import Street, split_stretch

STOREY_HEIGHT = 3.2  # metres
CORNICE_HEIGHT = 0.8  # metres of wall above the last storey


@dataclass(frozen=True)
class Building:
    """Look of one building.

    Args:
        side: side of the street.
        across: metres from the centre line of the road to its front.
        storeys: number of storeys.
        wall: colour of its wall.
        base: colour of its ground floor.
        window: colour of its windows.
        roof: colour of its roof.
        roof_height: height of its roof in metres, 0 for a flat one.
        window_share: share of a bay's width that is window.
        brick: whether courses of bricks are drawn.
    """

    side: int
    across: float
    storeys: int
    wall: Colour
    base: Colour
    window: Colour
    roof: Colour
    roof_height: float
    window_share: float
    brick: bool

    @property
    def height(self) -> float:
        """Height of the walls in metres."""
        return STOREY_HEIGHT * self.storeys + CORNICE_HEIGHT


def add_building(scene: SceneBuilder, side: int, z0: float, z1: float, setback: float) -> None:
    """Add a random building from z0 to z1, ``setback`` metres behind the pavement."""
    rng, street = scene.rng, scene.street
    wall = tint(rng, pick(rng, WALLS), 16)
    base = tint(rng, pick(rng, WALLS), 20) if rng.random() < 0.5 else scaled(wall, 0.8)
    roof_height = rng.uniform(1.5, 4.0) if rng.random() < 0.6 else 0.0
    building = Building(
        side=side,
        across=street.frontage(side) + side * setback,
        storeys=int(rng.integers(2, 7)),
        wall=wall,
        base=base,
        window=tint(rng, (88, 74, 62), 25),
        roof=tint(rng, pick(rng, ROOFS)),
        roof_height=roof_height,
        window_share=rng.uniform(0.35, 0.75),
        brick=rng.random() < 0.4,
    )
    for start, end in split_stretch(z0, z1, rng.uniform(2.6, 4.0)):
        scene.add(end, draw_facade_bay, street, building, start, end, rng)
    scene.add(z0, draw_gable, street, building, z0, rng.uniform(9, 14))
    footprint = [(street.x(building.across + extra, z), z) for extra in (0, side * 10) for z in (z0, z1)]
    scene.add_shadow(footprint, building.height)


def draw_facade_bay(canvas: Canvas, street: Street, building: Building, z0: float, z1: float, rng: Generator) -> None:
    """Draw the stretch z0 to z1 of a front: wall, ground floor, one column of windows and the roof above."""
    wall, storeys = building.wall, building.storeys
    normal = (-float(building.side), 0.0, 0.0)
    front = street.panel(building.across, z0, z1, building.height)
    canvas.fill(front, wall, 'building', normal)
    storey = 1 / storeys * (building.height - CORNICE_HEIGHT) / building.height
    if building.brick and z0 < 30:
        courses = np.arange(0.02, 1, 0.25 / building.height)
        lines = [(0, 1, v, v + 0.05 / building.height) for v in courses]
        canvas.fill(patches(front, lines), scaled(wall, 0.88), None, normal)
    canvas.fill(patches(front, (0, 1, 0, storey)), building.base, None, normal)
    low, high = 0.5 - building.window_share / 2, 0.5 + building.window_share / 2
    panes = [(low, high, (k + 0.28) * storey, (k + 0.85) * storey) for k in range(1, storeys)]
    has_shop_window = rng.random() < 0.7
    panes.append((0.12, 0.88, 0.12 * storey, 0.8 * storey) if has_shop_window else (0.35, 0.7, 0, 0.75 * storey))
    frames = [(u0 - 0.04, u1 + 0.04, v0 - 0.08 * storey, v1 + 0.03 * storey) for u0, u1, v0, v1 in panes]
    canvas.fill(patches(front, frames), scaled(wall, 0.7, 70), None, normal)
    has_blind = rng.random(len(panes)) < 0.25
    for blind, colour in ((False, building.window), (True, scaled(building.window, 0.5, 80))):
        canvas.fill(patches(front, [pane for pane, has in zip(panes, has_blind, strict=True) if has == blind]), colour)
    canvas.fill(patches(front, (0, 1, 0.975, 1)), scaled(wall, 0.75), None, normal)
    if building.roof_height:
        back = np.array((building.side * 3.0, building.roof_height, 0.0))
        canvas.fill((front[3], front[2], front[2] + back, front[3] + back), building.roof, 'building')


def draw_gable(canvas: Canvas, street: Street, building: Building, z: float, depth: float) -> None:
    """Draw the end wall that faces the camera at z and reaches ``depth`` metres away from the road."""
    x0 = street.x(building.across, z)
    x1, x2 = x0 + building.side * 3.0, x0 + building.side * depth
    top, ridge = building.height, building.height + building.roof_height
    outline = ((x0, 0, z), (x2, 0, z), (x2, ridge, z), (x1, ridge, z), (x0, top, z))
    canvas.fill(outline, scaled(building.wall, 0.92), 'building', (0.0, 0.0, -1.0))
    panel = np.array(((x0, 0, z), (x2, 0, z), (x2, top, z), (x0, top, z)))
    rows = [(k + 0.3) / building.storeys for k in range(1, building.storeys)]
    panes = [(u, u + 0.08, v, v + 0.5 / building.storeys) for v in rows for u in (0.15, 0.45, 0.75)]
    canvas.fill(patches(panel, panes), building.window)
