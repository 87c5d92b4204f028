"""Every object is labelled as its class of Cityscapes, whatever the side from which it is seen."""

import math

import numpy as np
import pytest

from repvgg_seg.synthetic.camera import Camera
from repvgg_seg.synthetic.canvas import Canvas
from repvgg_seg.synthetic.labels import LABEL_ID
from repvgg_seg.synthetic.light import sample_light
from repvgg_seg.synthetic.objects.bicycle import draw_bicycle
from repvgg_seg.synthetic.objects.bus import draw_bus
from repvgg_seg.synthetic.objects.car import CAR_SHAPES, draw_car
from repvgg_seg.synthetic.objects.litter_bin import draw_litter_bin
from repvgg_seg.synthetic.objects.motorcycle import draw_motorcycle
from repvgg_seg.synthetic.objects.person import draw_person, sample_figure
from repvgg_seg.synthetic.objects.pole import draw_pole
from repvgg_seg.synthetic.objects.rider import draw_rider
from repvgg_seg.synthetic.objects.street_lamp import draw_street_lamp
from repvgg_seg.synthetic.objects.traffic_light import draw_traffic_light
from repvgg_seg.synthetic.objects.traffic_sign import draw_traffic_sign
from repvgg_seg.synthetic.objects.tram import draw_tram
from repvgg_seg.synthetic.objects.tree import draw_tree
from repvgg_seg.synthetic.objects.truck import draw_truck
from repvgg_seg.synthetic.pose import Pose

BLUE, WHITE = (150, 60, 30), (230, 230, 230)
FIGURE = sample_figure(np.random.default_rng(0))
RNG = np.random.default_rng(1)
OBJECTS = {
    'bicycle': (draw_bicycle, (BLUE,), {'bicycle'}),
    'bus': (draw_bus, (BLUE,), {'bus'}),
    'car': (draw_car, (BLUE, CAR_SHAPES[0]), {'car'}),
    'cyclist': (draw_rider, (FIGURE, BLUE, 'bicycle'), {'rider', 'bicycle'}),
    'litter bin': (draw_litter_bin, (BLUE,), {'unlabeled'}),
    'motorcycle': (draw_motorcycle, (BLUE,), {'motorcycle'}),
    'motorcyclist': (draw_rider, (FIGURE, BLUE, 'motorcycle'), {'rider', 'motorcycle'}),
    'person': (draw_person, (FIGURE, 0.5), {'person'}),
    'pole': (draw_pole, (4.0, 0.1, BLUE), {'pole'}),
    'street lamp': (draw_street_lamp, (1, BLUE), {'pole'}),
    'traffic light': (draw_traffic_light, (1, 0, RNG), {'pole', 'traffic light'}),
    'traffic sign': (draw_traffic_sign, ('triangle', BLUE, RNG), {'pole', 'traffic sign'}),
    'tram': (draw_tram, (BLUE, 2), {'train'}),
    'tree': (draw_tree, (6.0, BLUE, RNG), {'vegetation'}),
    'truck': (draw_truck, (BLUE, WHITE), {'truck'}),
}


@pytest.mark.parametrize('heading', [0.0, math.pi / 2, math.pi], ids=['away', 'across', 'towards us'])
@pytest.mark.parametrize('name', OBJECTS)
def test_classes_of_an_object(name, heading):
    draw, arguments, expected = OBJECTS[name]
    canvas = Canvas(200, 400, Camera(0.8, 0.45, 1.5), sample_light(np.random.default_rng(2)))
    draw(canvas, Pose(1.0, 14.0, heading), *arguments)
    found = {label for label, label_id in LABEL_ID.items() if (canvas.label == label_id).any()}
    assert found - {'sky'} == expected  # the canvas is sky before
    painted, labelled = canvas.image.any(-1), canvas.label != LABEL_ID['sky']
    assert (painted != labelled).sum() <= 0.01 * labelled.sum()  # a window's corner may round to a pixel beside its car


@pytest.mark.parametrize('lit', [0, 1, 2])
def test_the_lit_lamp_of_a_traffic_light_is_the_brightest(lit):
    """Red, amber and green from the top; in BGR the largest channels of the three are 2, 2 and 1."""
    canvas = Canvas(400, 400, Camera(0.8, 0.45, 1.5), sample_light(np.random.default_rng(2)))
    draw_traffic_light(canvas, Pose(0.0, 5.0), 1, lit, np.random.default_rng(0))
    rows, columns = np.nonzero(canvas.label == LABEL_ID['traffic light'])
    left = columns >= columns.max() - 20  # the head on the pole, not one over the road
    top, bottom = rows[left].min(), rows[left].max()
    column = columns[left].max() - (columns[left].max() - columns[left].min()) // 2
    lamps = np.array_split(canvas.image[top : bottom + 1, column], 3)
    brightest = [int(lamp.max()) for lamp in lamps]
    assert np.argmax(brightest) == lit
