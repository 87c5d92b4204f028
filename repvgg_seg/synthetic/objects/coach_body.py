"""The body that buses and tram cars have in common: rows of windows, doors and a destination board."""

from ..box import BoxSize, Lean, draw_box
from ..canvas import Canvas
from ..colours import GLASS, TAIL_LIGHT, TYRE, Colour, scaled
from ..pose import Pose

HALF_WIDTH = 1.26  # metres
DOOR, BOARD, HEADLIGHT = (60, 55, 50), (20, 120, 160), (225, 230, 230)


def draw_coach_body(
    canvas: Canvas, pose: Pose, colour: Colour, name: str, length: float, height: float, windows: int
) -> None:
    """Draw a body of ``length`` by ``height`` metres, with ``windows`` on each side, as pixels of class ``name``."""
    end, trim = length / 2, scaled(colour, 0.55)
    draw_box(canvas, pose, BoxSize(1.1, 0.04, 0.45, -end + 0.4, end - 0.4), TYRE, name)
    step = 0.9 / windows
    side = [((0.04 + k * step, 0.04 + (k + 0.86) * step, 0.45, 0.82), GLASS) for k in range(windows)]
    side += [((0.05 + 2 * k * step, 0.05 + (2 * k + 0.7) * step, 0.06, 0.82), DOOR) for k in (1, windows // 2 - 1)]
    painted = {
        'front': (
            ((0.06, 0.94, 0.36, 0.82), GLASS),
            ((0.2, 0.8, 0.86, 0.95), BOARD),
            ((0, 1, 0, 0.1), trim),
            ((0.05, 0.17, 0.14, 0.2), HEADLIGHT),
            ((0.83, 0.95, 0.14, 0.2), HEADLIGHT),
        ),
        'rear': (
            ((0.1, 0.9, 0.5, 0.85), GLASS),
            ((0.2, 0.8, 0.12, 0.35), trim),
            ((0.04, 0.12, 0.15, 0.3), TAIL_LIGHT),
            ((0.88, 0.96, 0.15, 0.3), TAIL_LIGHT),
        ),
        'side': (*side, ((0, 1, 0.0, 0.12), trim), ((0, 1, 0.36, 0.4), trim)),
    }
    draw_box(canvas, pose, BoxSize(HALF_WIDTH, 0.3, height, -end, end), colour, name, Lean(0.08, 0.04, 0.15), painted)
