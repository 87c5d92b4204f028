"""What lines the street behind the pavements: buildings and open plots."""

from ..objects.building import add_building
from ..scene_builder import SceneBuilder
from ..street import FAR
from .open_plot import add_open_plot


def add_frontage(scene: SceneBuilder, side: int) -> None:
    """Add buildings and open plots along one side of the street, with a gap where the cross street is."""
    rng, crossing = scene.rng, scene.street.crossing
    z = rng.uniform(0.5, 4.0)
    share_of_buildings = rng.uniform(0.3, 0.9)
    while z < FAR:
        length = rng.uniform(9, 24)
        if crossing is not None and crossing[0] < z + length and z < crossing[1] + 3:
            length = crossing[0] - 3 - z
            if length < 4:
                z = crossing[1] + 3.01
                continue
        if rng.random() < share_of_buildings:
            add_building(scene, side, z, z + length, setback=rng.uniform(0, 0.8))
            z += length + (rng.uniform(2, 6) if rng.random() < 0.25 else 0)
        else:
            add_open_plot(scene, side, z, z + length)
            z += length
