"""Drawn scenes: the same for the same seed, alike at every size, and worth learning from."""

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import id2label

from repvgg_seg.synthetic import draw_scene
from repvgg_seg.synthetic.dataset import scene_rng

SIZE = (64, 128)
TRAIN_ID = np.full(256, 255, np.uint8)
for _id, _label in id2label.items():
    if _id >= 0:
        TRAIN_ID[_id] = _label.trainId


@pytest.fixture(scope='module')
def scenes():
    """Images (N, H, W, 3) and train ids (N, H, W) of 40 scenes."""
    drawn = [draw_scene(scene_rng(0, 'train', index), 96, 192) for index in range(40)]
    return np.stack([image for image, _ in drawn]), TRAIN_ID[np.stack([label for _, label in drawn])]


@pytest.mark.parametrize('size', [(64, 64), (96, 192), (100, 151), (151, 100)])
def test_scene_has_the_asked_size_and_is_the_same_when_redrawn(size):
    image, label = draw_scene(scene_rng(1, 'val', 3), *size)
    again_image, again_label = draw_scene(scene_rng(1, 'val', 3), *size)
    assert image.shape == (*size, 3) and label.shape == size
    assert image.dtype == label.dtype == np.uint8
    np.testing.assert_array_equal(image, again_image)
    np.testing.assert_array_equal(label, again_label)


def test_scenes_differ_between_seeds_splits_and_indices():
    keys = [(0, 'train', 0), (1, 'train', 0), (0, 'val', 0), (0, 'train', 1)]
    labels = [draw_scene(scene_rng(*key), *SIZE)[1] for key in keys]
    for first in range(len(keys)):
        for second in range(first):
            assert (labels[first] != labels[second]).mean() > 0.1


def test_a_scene_is_alike_at_every_size():
    for index in range(3):
        _, small = draw_scene(scene_rng(0, 'train', index), 96, 192)
        _, large = draw_scene(scene_rng(0, 'train', index), 288, 576)
        assert (small == large[1::3, 1::3]).mean() > 0.93  # all but the edges


@pytest.mark.slow
def test_edges_of_image_and_label_agree():
    """Where the label changes, the image changes more than elsewhere, and most so without any shift."""
    rise = {}
    for shift in (-3, 0, 3):
        at_edges = []
        for index in range(8):
            image, label = draw_scene(scene_rng(2, 'train', index), 96, 192)
            step = np.abs(np.diff(image.astype(int), axis=1)).sum(-1)
            edge = np.roll(np.diff(label.astype(int), axis=1) != 0, shift, axis=1)
            at_edges.append(step[edge].mean())
        rise[shift] = np.mean(at_edges)
    assert rise[0] > 1.5 * max(rise[-3], rise[3])


@pytest.mark.slow
def test_all_classes_occur_and_some_pixels_are_ignored(scenes):
    _, train_ids = scenes
    in_scenes = {c: sum((label == c).sum() >= 8 for label in train_ids) for c in [*range(19), 255]}
    assert set(np.unique(train_ids)) == set(in_scenes)
    assert min(in_scenes.values()) >= 3, in_scenes
    assert in_scenes[0] == len(train_ids) and in_scenes[10] > 30  # road everywhere, sky nearly so
    assert (train_ids == 255).mean() < 0.1


@pytest.mark.slow
def test_colour_alone_does_not_solve_the_task(scenes):
    """A pixel classifier by nearest class mean colour, fitted on these very scenes, stays poor."""
    images, truth = scenes
    pixels, truth = images[truth < 19].astype(float), truth[truth < 19]
    means = np.stack([pixels[truth == c].mean(0) for c in range(19)])
    guess = ((means**2).sum(-1) - 2 * pixels @ means.T).argmin(-1)  # (x - m)^2 without x^2, the same for every m
    ious = [((guess == c) & (truth == c)).sum() / ((guess == c) | (truth == c)).sum() for c in range(19)]
    assert np.mean(ious) < 0.2
