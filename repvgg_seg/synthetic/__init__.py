"""Draws synthetic street scenes with their labels, and writes data sets of them in the layout of Cityscapes.

- `dataset.py` writes a data set, `scene.py` composes and draws one scene.
- `placement/` decides what stands and moves where, `objects/` draws each kind of object.
- `street.py` is the plan of the street, `light.py` the weather, `camera.py` and `camera_effects.py` the camera.
- `canvas.py`, `shapes.py`, `box.py`, `noise.py`, `pose.py`, `colours.py` and `labels.py` are the tools of drawing.
"""

from .scene import draw_scene

__all__ = ['draw_scene']
