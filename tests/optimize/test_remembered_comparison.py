"""What was compared once is compared by one small image in later calls, and in full wherever something else may come out."""

import copy
import dataclasses
import json
import math
from functools import partial

import pytest
import torch
from helpers import relative_error
from mmseg.models.decode_heads import PSPHead
from small_models import head_config, options, segmentor

import repvgg_seg
from repvgg_seg.models.folded_psp_head import FoldedPyramid
from repvgg_seg.optimize import remembered_comparison
from repvgg_seg.optimize.measurements import Measurements
from repvgg_seg.optimize.passes import PASSES, dilation, winograd
from repvgg_seg.optimize.remembered_comparison import RememberedComparison
from repvgg_seg.optimize.same_outputs import SameOutputs

SHAPE = (1, 3, 64, 64)
IMAGE = torch.randn(2, 3, 72, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def compared(monkeypatch):
    """The kinds of the comparisons that are made: 'quick' or 'full'."""
    monkeypatch.setattr(winograd, '_times', lambda *args: dict(plain=2.0, winograd=1.0))
    monkeypatch.setattr(dilation, '_time_layouts', lambda *args: dict(dilated=2.0, batch=1.0, gutter=3.0))
    monkeypatch.setattr(winograd, 'peak_memory', lambda call, device: 2**20)
    calls = []
    difference = SameOutputs.difference

    def compare(outputs, model):
        calls.append('quick' if outputs.is_quick else 'full')
        return difference(outputs, model)

    monkeypatch.setattr(SameOutputs, 'difference', compare)
    return calls


def optimize(model, limit=1e-5, **kwargs):
    """The optimized model, which computes what the given one does."""
    with torch.inference_mode():
        expected = model(IMAGE)
        optimized = repvgg_seg.optimize_for_inference(model, **{'input_shape': SHAPE, **kwargs})
        assert relative_error(optimized(IMAGE), expected) < limit
    return optimized


class UsersHead(PSPHead):
    pass


def segmentor_with(head=PSPHead, num_classes=5):
    return segmentor(decode_head=head_config(head, channels=12, num_classes=num_classes))


@pytest.mark.slow
def test_what_a_second_call_compares(compared):
    model, other_weights, more_classes = segmentor(), segmentor(), segmentor_with(num_classes=7)
    cases = [  # what is optimized, the arguments, and the comparisons
        ('first', model, {}, ['full']),
        ('same', model, {}, ['quick']),
        ('other weights', other_weights, {}, ['quick']),
        ('in place', copy.deepcopy(model), dict(inplace=True), ['quick']),
        ('anew', model, dict(measure_anew=True), ['full']),
        ('other classes', more_classes, {}, ['full']),
        ('other size', model, dict(input_shape=(1, 3, 64, 96)), ['full']),
        ('other passes', model, dict(skip='winograd'), ['full']),
        ('other option', model, dict(memory_format='channels_first'), ['full']),
        ('half precision', model, dict(dtype='bf16', limit=2e-2), ['full']),
        ('half precision again', model, dict(dtype='bf16', limit=2e-2), ['full']),
        ('class of another package', segmentor_with(UsersHead), {}, ['full']),
        ('class of another package again', segmentor_with(UsersHead), {}, ['full']),
    ]
    found, reports = {}, {}
    for name, given, kwargs, _ in cases:
        compared.clear()
        reports[name] = optimize(given, **kwargs).optimize_report
        found[name] = compared.copy()
    assert found == {name: expected for name, _, _, expected in cases}
    assert reports['first'] == reports['same'] and {'winograd', 'pyramid'} <= {*reports['same']}


@pytest.mark.slow
def test_compared_again_by_other_code_or_after_a_damaged_file(compared, monkeypatch, tmp_path):
    messages = []
    monkeypatch.setattr('repvgg_seg.optimize.optimize.print_log', lambda message, logger: messages.append(message))
    monkeypatch.setenv('REPVGG_SEG_CACHE', str(tmp_path))
    model = segmentor()
    optimize(model)
    monkeypatch.setattr(remembered_comparison, '_code', lambda: 'another')
    optimize(model)
    (tmp_path / 'measurements.json').write_text('{')
    optimize(model)
    assert compared == ['full'] * 3 and not messages
    optimize(model)
    assert compared[3:] == ['quick']
    assert len(messages) == 1 and messages[0].startswith('optimize: compared with the model on one small image, since ')


@pytest.mark.slow
def test_another_form_is_compared_in_full(compared, monkeypatch):
    """Fewer convs by Winograd, as where less memory is free."""
    model = segmentor()
    assert optimize(model).optimize_report['winograd'].chosen.replaced > 0
    monkeypatch.setattr(winograd, 'spare_memory', lambda: 0)
    compared.clear()
    assert optimize(model, inplace=True).optimize_report['winograd'].chosen.replaced == 0
    assert compared == ['quick', 'full']
    compared.clear()
    optimize(segmentor())
    assert compared == ['quick']


@pytest.mark.slow
@pytest.mark.parametrize(
    'factor, inplace, kinds, undone',
    [
        (1 + 1e-4, False, ['quick', 'full'], False),  # a tolerable error: compared in full, as in the first call
        (2.0, True, ['quick', 'full', 'full'], True),
    ],
)
def test_a_wrong_result_is_refused_in_the_second_call(compared, monkeypatch, factor, inplace, kinds, undone):
    model = segmentor()
    optimize(model)
    compared.clear()
    forward = FoldedPyramid.forward
    monkeypatch.setattr(FoldedPyramid, 'forward', lambda self, x: factor * forward(self, x))
    optimized = optimize(model, limit=1e-3, inplace=inplace)
    assert compared[: len(kinds)] == kinds
    assert ('pyramid' in optimized.optimize_report) != undone


@pytest.mark.slow
def test_a_pass_that_was_replaced_is_compared(compared, monkeypatch):
    """Also one that is remembered, which gives the model the same form."""
    model = segmentor()
    optimize(model)
    compared.clear()
    step = PASSES['winograd']

    def harmful(model, options):
        model, record = step.rewrite(model, options)
        model.decode_head.conv_seg.weight.data = 2 * model.decode_head.conv_seg.weight.data
        return model, record

    monkeypatch.setitem(PASSES, 'winograd', dataclasses.replace(step, rewrite=harmful, narrower=None))
    assert 'winograd' not in optimize(model).optimize_report
    assert compared[0] == 'full'


@pytest.mark.slow
def test_weights_without_numbers_are_never_taken_for_compared(compared):
    """The logits are NaN in both forms: nothing can be compared, and nothing is remembered."""
    model = segmentor()
    model.backbone.stage0.rbr_dense.bn.running_var.fill_(math.nan)
    for _ in range(2):
        repvgg_seg.optimize_for_inference(model, input_shape=SHAPE)
    optimize(segmentor())
    compared.clear()
    repvgg_seg.optimize_for_inference(model, input_shape=SHAPE)
    assert compared == ['full']


@pytest.mark.slow
def test_a_large_difference_is_not_remembered(compared, monkeypatch):
    """Within the tolerance, but so large that it may be larger for other weights."""
    forward = FoldedPyramid.forward
    monkeypatch.setattr(FoldedPyramid, 'forward', lambda self, x: (1 + 1e-4) * forward(self, x))
    model = segmentor()
    for _ in range(2):
        optimize(model, limit=1e-3)
    assert compared == ['full', 'full']


@pytest.mark.parametrize('error, passed', [(0.0, True), (1e-5, True), (1e-3, False), (-1.0, False), (math.nan, False)])
def test_figures_of_the_file_are_judged(tmp_path, monkeypatch, error, passed):
    monkeypatch.setenv('REPVGG_SEG_CACHE', str(tmp_path))
    asked = partial(RememberedComparison, segmentor(), steps=[*PASSES.values()])
    kept = options(measurements=Measurements(tmp_path))
    asked(kept).note(' to a form', 0.0)
    kept.measurements.save()
    file = tmp_path / 'measurements.json'
    file.write_text(json.dumps({key: dict(error=error) for key in json.loads(file.read_text())}))
    found = asked(options(measurements=Measurements(tmp_path)))
    assert (found.passed(), found.passed(' to a form'), found.passed(' to another')) == (passed, passed, False)
