"""What stands between the kerb and the pavement: trees, street lamps, traffic signs and lights, litter bins, poles."""

from ..colours import LEAVES, METALS, pick, tint
from ..objects.litter_bin import add_litter_bin
from ..objects.pole import add_pole
from ..objects.street_lamp import add_street_lamp
from ..objects.traffic_light import add_traffic_light
from ..objects.traffic_sign import add_traffic_sign
from ..objects.tree import add_tree
from ..scene_builder import SceneBuilder
from ..street import FAR


def add_street_furniture(scene: SceneBuilder, side: int) -> None:
    """Add the furniture of one side of the street."""
    rng, street = scene.rng, scene.street
    across = street.kerb(side) + side * (0.5 + street.verge[side] / 2)
    leaves = tint(rng, pick(rng, LEAVES))
    tree_share = rng.uniform(0, 0.75)
    metal = tint(rng, pick(rng, METALS))
    z = rng.uniform(5, 12)
    while z < FAR * 0.85:
        if not street.in_crossing(z, z):
            pose = street.pose(across, z)
            kind = rng.random()
            if kind < tree_share:
                add_tree(scene, pose, rng.uniform(4.5, 9), 2.6, leaves)
            elif kind < tree_share + 0.12:
                add_street_lamp(scene, pose, side, metal)
            elif kind < tree_share + 0.32:
                add_traffic_sign(scene, pose)
            elif kind < tree_share + 0.37:
                add_litter_bin(scene, pose)
            elif kind < tree_share + 0.45:
                add_pole(scene, pose, metal)
        z += rng.uniform(3.5, 9)
    if street.crossing is not None or rng.random() < 0.2:
        stop_line = street.crossing[0] if street.crossing is not None else rng.uniform(12, 40)
        add_traffic_light(scene, street.pose(street.kerb(side) + side * 0.6, stop_line - 1.5), side)
