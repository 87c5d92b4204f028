"""The projection of world points into the image, and what is filled there."""

import numpy as np

from repvgg_seg.synthetic.camera import Camera
from repvgg_seg.synthetic.canvas import Canvas
from repvgg_seg.synthetic.labels import LABEL_ID
from repvgg_seg.synthetic.light import Light

LIGHT = Light((0.0, 1.0, 0.0), 1.0, 0.0, (0, 0, 0), (0, 0, 0), 1e9, 0.0)  # no sun and no haze: colours stay as they are
PANEL = ((-1, 0.5, 10), (1, 0.5, 10), (1, 1.5, 10), (-1, 1.5, 10))


def canvas():
    """200 pixels wide, 100 high: 10 m ahead, a metre is 10 pixels and the ground is 15 pixels below the horizon."""
    return Canvas(100, 200, Camera(focal=0.5, horizon=0.5, height=1.5), LIGHT)


def test_points_are_projected_as_by_hand():
    """In sixteenths of a pixel, counted from the middle of the first one."""
    found = canvas().project(np.array([(0.0, 1.5, 10.0), (1.0, 0.0, 10.0), (1.0, 0.0, 20.0)]))
    assert (found / 16 + 0.5).tolist() == [[100, 50], [110, 65], [105, 57.5]]


def test_image_and_label_are_filled_alike():
    drawn = canvas()
    drawn.fill(PANEL, (10, 20, 30), 'car')
    rows, columns = np.nonzero(drawn.label == LABEL_ID['car'])
    assert abs(rows.min() - 50) <= 1 and abs(rows.max() - 59) <= 1
    assert abs(columns.min() - 90) <= 1 and abs(columns.max() - 109) <= 1
    assert ((drawn.image == (10, 20, 30)).all(-1) == (drawn.label == LABEL_ID['car'])).all()


def test_without_a_class_the_label_stays():
    drawn = canvas()
    drawn.fill(PANEL, (10, 20, 30))
    assert drawn.image.any() and (drawn.label == LABEL_ID['sky']).all()


def test_nothing_behind_the_camera_is_drawn():
    drawn = canvas()
    drawn.fill(np.array(PANEL) * (1, 1, -1), (10, 20, 30), 'car')
    assert not drawn.image.any()
