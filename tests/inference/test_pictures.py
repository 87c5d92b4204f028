"""Overlays and legends, compared with figures by hand."""

import numpy as np
import pytest

from repvgg_seg.inference import Prediction
from repvgg_seg.inference.pictures import legend, overlay_picture

CLASSES, PALETTE = ('Straße', '道', 'c'), ((200, 0, 0), (0, 100, 0), (0, 0, 50))


@pytest.fixture
def prediction():
    labels = np.zeros((90, 300), np.uint8)
    labels[:, 200:] = 2
    return Prediction(labels, CLASSES, PALETTE, np.full((90, 300, 3), (10, 20, 30), np.uint8))  # BGR


def test_colours_and_shares(prediction):
    colours = np.asarray(prediction.colour_map())
    assert colours.shape == (90, 300, 3)
    assert colours[0, 0].tolist() == [200, 0, 0] and colours[0, 299].tolist() == [0, 0, 50]
    assert prediction.shares == pytest.approx({'Straße': 2 / 3, '道': 0, 'c': 1 / 3})
    assert [number for number, _ in prediction.legend_entries()] == [0, 2]


def test_the_overlay_is_the_image_under_the_colours(prediction):
    plain = np.asarray(prediction.overlay(opacity=0.25, legend=False))
    assert plain.shape == (90, 300, 3)
    assert plain[0, 0].tolist() == [72, 15, 7]  # 30, 20, 10 in RGB: 0.75 of it and 0.25 of the colour
    whole = np.asarray(prediction.overlay(opacity=0.25))
    np.testing.assert_array_equal(whole[:90], plain)
    strip = whole[90:].reshape(-1, 3).tolist()
    assert [200, 0, 0] in strip and [0, 0, 50] in strip and [0, 100, 0] not in strip


@pytest.mark.parametrize('height, has_room', [(90, True), (20, False)])
def test_a_legend_inside_keeps_the_size(height, has_room):
    image, labels = np.zeros((height, 300, 3), np.uint8), np.ones((height, 300), np.uint8)
    picture = overlay_picture(image, labels, CLASSES, PALETTE, 1.0, [(1, None)], legend_inside=True)
    assert picture.shape == image.shape
    assert (picture == (0, 100, 0)).all() != has_room


@pytest.mark.parametrize('size', [(1, 1), (1, 50), (2000, 1)])
def test_small_images_have_a_legend(size):
    prediction = Prediction(np.zeros(size, np.uint8), CLASSES, PALETTE, np.zeros((*size, 3), np.uint8))
    assert prediction.overlay().size[0] >= 240 and prediction.overlay().size[1] > size[0]


def test_many_classes_go_into_lines():
    names = [f'class number {i}' for i in range(40)]
    strip = legend([(i, 0.025) for i in range(40)], names, [(i, i, i) for i in range(40)], 480)
    assert strip.shape[1] == 480 and strip.shape[0] > 100


def test_classes_beyond_the_palette_are_black():
    labels = np.array([[0, 200]], np.uint8)
    assert np.asarray(Prediction(labels, CLASSES, PALETTE, np.zeros((1, 2, 3), np.uint8)).colour_map())[
        0, 1
    ].tolist() == [0, 0, 0]
