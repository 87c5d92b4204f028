"""A look at some labels: which classes occur, and why others do not."""

import random

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS
from PIL import Image
from seg_data import LOAD, build, relabel, write_data

from repvgg_seg.data.checked_pipeline import Checks, check_pipeline
from repvgg_seg.data.label_sample import has_labels, read_until, sample_labels, spread, why_missing
from repvgg_seg.errors import InputError


@TRANSFORMS.register_module()
class DrawForTest(BaseTransform):
    """A step of somebody else, which draws random numbers and has a state."""

    calls = 0

    def transform(self, results):
        self.calls += 1
        results['gt_seg_map'] = np.full_like(
            results['gt_seg_map'], 1 + random.random() + np.random.rand() + torch.rand(1).item()
        )
        return results


@pytest.mark.parametrize('number', [0, 1, 2, 7, 100, 1000])
def test_every_beginning_is_spread(number):
    order = list(spread(number))
    assert sorted(order) == list(range(number))
    for read in (10, 25, 50):
        if read < number:
            gaps = np.diff(np.sort(order[:read]), prepend=0, append=number)
            assert gaps.max() <= 4 * number / read


@pytest.mark.slow
def test_labels_are_read_as_the_data_set_reads_them(tmp_path):
    write_data(tmp_path, values=(0, 1, 2, 255))
    assert sample_labels(build(tmp_path, classes='abc')).values == {0: 3, 1: 3, 2: 3, 255: 3}
    shifted = sample_labels(build(tmp_path, classes='abc', reduce_zero_label=True))
    assert shifted.values == {0: 3, 1: 3, 255: 3} and shifted.classes((255,)) == [0, 1]
    inside = [LOAD[0], dict(type='TestTimeAug', transforms=[[LOAD[1]], [dict(type='PackSegInputs')]])]
    assert sample_labels(build(tmp_path, classes='abc', pipeline=inside)).read == 3
    without = build(tmp_path, classes='abc', pipeline=LOAD[:1])
    assert sample_labels(without).read == 0 and not has_labels(without)


def test_the_number_and_the_time_are_bounded(tmp_path):
    dataset = build(write_data(tmp_path, names=map(str, range(9))))
    assert sample_labels(dataset, most=4).read == 4
    assert sample_labels(dataset, seconds=0).read == 1
    sample = sample_labels(dataset, most=4)
    read_until(dataset, sample, lambda: False)
    assert (sample.read, sample.values) == (9, {0: 9, 1: 9}), 'no label is counted twice'


def test_the_run_sees_nothing_of_it(tmp_path):
    dataset = build(write_data(tmp_path), pipeline=[*LOAD, dict(type='DrawForTest'), dict(type='PackSegInputs')])
    check_pipeline(dataset, Checks())
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert sample_labels(dataset).read == 3
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before
    assert dataset.pipeline.transforms[2].calls == 0


@TRANSFORMS.register_module()
class OwnMaskForTest(BaseTransform):
    """A step whose name does not say that it loads labels."""

    def transform(self, results):
        return results | dict(gt_seg_map=np.full((2, 2), 1 + random.randint(0, 0), np.int64))


@TRANSFORMS.register_module()
class NoLabelForTest(BaseTransform):
    def transform(self, results):
        return results


def test_a_step_of_somebody_else_may_load_labels_under_any_name(tmp_path):
    write_data(tmp_path)
    dataset = build(tmp_path, pipeline=[LOAD[0], dict(type='OwnMaskForTest'), dict(type='PackSegInputs')])
    state = random.getstate()
    assert has_labels(dataset) and sample_labels(dataset).values == {1: 3}
    assert random.getstate() == state
    assert not has_labels(build(tmp_path, pipeline=[LOAD[0], dict(type='NoLabelForTest')]))


@pytest.mark.slow
@pytest.mark.parametrize('mode', ['RGB', 'RGBA', 'LA'])
def test_colours_are_no_labels(tmp_path, mode):
    relabel(write_data(tmp_path), lambda label: Image.fromarray(label).convert(mode))
    with pytest.raises(InputError, match=f'a label is one 8-bit channel of class numbers, got mode {mode}'):
        sample_labels(build(tmp_path))


def test_palette_images_hold_class_numbers_unless_opencv_reads_them(tmp_path):
    def with_palette(label):
        image = Image.fromarray(label, mode='P')
        image.putpalette([7, 8, 9, 200, 10, 30])
        return image

    relabel(write_data(tmp_path), with_palette)
    assert sample_labels(build(tmp_path)).values == {0: 3, 1: 3}
    with pytest.raises(InputError, match="imdecode_backend='pillow'"):
        sample_labels(build(tmp_path, pipeline=[LOAD[0], dict(type='LoadAnnotations', imdecode_backend='cv2')]))


@pytest.mark.slow
@pytest.mark.parametrize(
    'values, options, said',
    [
        ((0, 255), {}, 'hold the values [0, 255], and 255 is ignored: where it means class 1, convert the masks'),
        ((255,), {}, 'hold the values [255] alone'),
        ((0,), {}, 'hold the values [0] alone'),
        ((0, 1), dict(reduce_zero_label=True), 'reduce_zero_label=True makes 0 ignored, 1 class 0'),
        ((1, 2), dict(reduce_zero_label=True), ''),
        ((1, 2), dict(reduce_zero_label=True, classes='abcd'), ''),
        ((2, 3), dict(reduce_zero_label=True, classes='abcd'), ''),
        ((0, 1), dict(reduce_zero_label=True, classes='abcd'), ''),
        ((0, 1, 2, 3), dict(reduce_zero_label=True, classes='abcd'), 'where 0 is a class, set it to False'),
        ((1, 255), {}, 'where the classes are counted from 1'),
        ((0, 1), {}, ''),
    ],
)
def test_why_classes_do_not_occur(tmp_path, values, options, said):
    dataset = build(write_data(tmp_path, values=values), **options)
    cause = why_missing(sample_labels(dataset), dataset, (255,))
    assert said in cause and bool(cause) is bool(said)


def test_more_than_255_classes_do_not_fit_into_8_bits(tmp_path):
    dataset = build(write_data(tmp_path), classes=map(str, range(300)))
    with pytest.raises(InputError, match='LoadAnnotations keeps 8 bits of a label, too few for 300 classes'):
        sample_labels(dataset)
