"""Open plots: gardens, parks and yards, bordered by a wall, a fence or a hedge."""

from ..colours import LEAVES, WALLS, pick, tint
from ..objects.building import add_building
from ..objects.fence import draw_fence
from ..objects.hedge import draw_hedge
from ..objects.tree import add_tree
from ..objects.wall import draw_wall
from ..pose import Pose
from ..scene_builder import SceneBuilder
from ..street import split_stretch


def add_open_plot(scene: SceneBuilder, side: int, z0: float, z1: float) -> None:
    """Add a plot from z0 to z1: a border along the pavement, trees behind it and sometimes a building at the back."""
    rng, street = scene.rng, scene.street
    across = street.frontage(side) + side * 0.2
    border = pick(rng, ('wall', 'wall', 'fence', 'fence', 'hedge', 'none'))
    leaves = tint(rng, pick(rng, LEAVES))
    if rng.random() < 0.5:
        add_building(scene, side, z0 + 1, z1 - 1, setback=rng.uniform(6, 11))
    for _ in range(int(rng.integers(1, 5))):
        tree_across, z = across + side * rng.uniform(2.0, 7), rng.uniform(z0, z1)
        add_tree(scene, Pose(street.x(tree_across, z), z), rng.uniform(4, 10), 3.0, leaves)
    height = rng.uniform(1.0, 2.4)
    colour = tint(rng, pick(rng, WALLS), 18)
    for start, end in split_stretch(z0, z1, 2.2):
        if border == 'wall':
            scene.add(end, draw_wall, street, side, across, start, end, height, colour)
        elif border == 'fence':
            scene.add(end, draw_fence, street, side, across, start, end, min(height, 1.8), colour)
        elif border == 'hedge':
            scene.add(end, draw_hedge, street, across, start, end, min(height, 1.7), leaves, rng)
