import copy
import weakref

import pytest
import torch
from helpers import relative_error
from small_models import options, segmentor
from torch import nn

import repvgg_seg
from repvgg_seg.measure.memory import held_bytes
from repvgg_seg.optimize import winograd_conv
from repvgg_seg.optimize.passes import winograd
from repvgg_seg.optimize.passes.winograd import Choice, WinogradRecord, apply_winograd, can_apply_winograd
from repvgg_seg.optimize.winograd_conv import WinogradConv

MIB = 2**20


@pytest.fixture
def two_convs(monkeypatch):
    """Two convs of 256 channels, each of which gains 250 ms, the shape of their images, and the bytes of weights and maps."""
    monkeypatch.setattr(winograd, '_times', lambda conv, shape: dict(plain=1.0, winograd=0.75))
    model = nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.Conv2d(256, 256, 3, padding=1)).eval()
    model.to(memory_format=torch.channels_last)
    held = 2 * 4 * (256 * 256 * 9 + 256)
    maps = 4 * 3 * 256 * 8 * 8 + 2 * winograd_conv.WORKSPACE
    return model, (1, 256, 8, 8), held, maps


ONE_KERNEL_GROWS_BY = 4 * 256 * 256 * (36 - 9)


@pytest.mark.parametrize(
    'memory, fused, spare, replaced',
    [
        ('fused', 0, 2**40, 0),
        ('fused', 1, 2**40, 1),
        ('fused', 2, 0, 2),
        ('free', 0, 0, 0),
        ('free', 0, 1, 1),
        ('free', 0, 2, 2),
        ('free', 0, None, 0),  # a system that does not tell: as 'fused'
        ('free', 1, None, 1),
        (75, 0, 0, 0),  # MiB: the model takes 68.7, each kernel 6.75 more
        (76, 0, 0, 1),
        (83, 0, 0, 2),
        (1, 2, 2**40, 0),
    ],
)
@torch.no_grad()
def test_winograd_keeps_to_the_memory_limit(two_convs, monkeypatch, memory, fused, spare, replaced):
    """Limits in kernels that there is room for, beside what the model takes without."""
    model, shape, held, maps = two_convs
    spare = None if spare is None else maps + spare * ONE_KERNEL_GROWS_BY
    monkeypatch.setattr(winograd, 'spare_memory', lambda: spare)
    twin = copy.deepcopy(model)
    _, record = apply_winograd(
        twin, options(input_shape=shape, memory=memory, memory_of_fused=held + maps + fused * ONE_KERNEL_GROWS_BY)
    )
    assert (record.candidates, record.chosen.memory, record.chosen.replaced) == (2, memory, replaced)
    assert record.chosen.seconds == 0.25 * replaced
    assert sum(isinstance(module, WinogradConv) for module in twin) == replaced
    x = torch.randn(shape)
    assert relative_error(twin(x), model(x)) < 1e-5


@torch.no_grad()
def test_a_kernel_is_held_once(two_convs):
    """No plain kernel stays beside its transform, which has 36 / 9 times its size."""
    model, shape, _, _ = two_convs
    apply_winograd(model, options(input_shape=shape))
    assert held_bytes(model) == 2 * 4 * (256 * 256 * 36 + 256)


@torch.no_grad()
def test_a_plain_kernel_is_freed_before_the_next_is_transformed(two_convs, monkeypatch):
    model, shape, _, _ = two_convs
    seen, alive = [], []

    def replace(conv, workspace):
        seen.append(weakref.ref(conv.weight))
        alive.append(sum(kernel() is not None for kernel in seen))
        return WinogradConv(conv, workspace)

    monkeypatch.setattr(winograd, 'WinogradConv', replace)
    apply_winograd(model, options(input_shape=shape))
    assert alive == [1, 1]


def test_the_record_says_what_it_cost_and_what_the_other_choice_would_do():
    one, two = Choice('fused', 1, 0.25, 20 * MIB), Choice('free', 3, 0.75, 62 * MIB)
    begin = 'of the 4 3x3 convs that gain by it'
    assert str(WinogradRecord(4, two, one)) == (
        f"3 {begin}, 750 ms faster, kernels 62 MiB larger under memory='free'; memory='fused' would save 42 MiB and take "
        '500 ms longer'
    )
    assert str(WinogradRecord(4, one, two)) == (
        f"1 {begin}, 250 ms faster, kernels 20 MiB larger under memory='fused'; memory='free' would save 500 ms more and "
        'take 42 MiB more'
    )
    assert str(WinogradRecord(4, Choice(900, 3, 0.75, 62 * MIB), two)) == (
        f"3 {begin}, 750 ms faster, kernels 62 MiB larger under memory=900; memory='free' would do the same"
    )


def test_winograd_leaves_other_convs(monkeypatch):
    monkeypatch.setattr(winograd, '_times', lambda conv, shape: dict(plain=2.0, winograd=1.0))
    model = nn.Sequential(
        nn.Conv2d(16, 16, 3, stride=2, padding=1),
        nn.Conv2d(16, 16, 3),
        nn.Conv2d(16, 16, 1),
        nn.Conv2d(16, 16, 3, padding=1, padding_mode='reflect'),
        nn.Conv2d(16, 16, 3, padding=1, groups=16),
    )
    assert apply_winograd(model, options(input_shape=(1, 16, 32, 32))) == (model, None)


@pytest.mark.parametrize(
    'asked, found', [(dict(), True), (dict(dtype=torch.bfloat16), False), (dict(compile=True), False)]
)
def test_where_it_can_be_applied(asked, found):
    assert can_apply_winograd(nn.Conv2d(3, 3, 3), options(**asked)) == found
    assert not can_apply_winograd(nn.Conv2d(3, 3, 3, device='meta'), options(**asked))


@pytest.mark.slow
@pytest.mark.parametrize('arguments, measured', [(dict(), 1), (dict(skip=['winograd']), 0), (dict(dtype='bf16'), 0)])
def test_the_memory_of_the_fused_model_is_measured_only_for_this_pass(monkeypatch, arguments, measured):
    """With the blocks fused and all else as it was; what comes out is the limit of the pass."""
    models, limits = [], []

    def peak_memory(call, device):
        models.append(call.__closure__)
        return 10**6

    monkeypatch.setattr(winograd, 'peak_memory', peak_memory)
    monkeypatch.setattr(winograd, '_candidates', lambda model, options, part: limits.append(options.memory_of_fused))
    model = repvgg_seg.reparameterize_model(segmentor())
    weights = 4 * sum(parameter.numel() for parameter in model.parameters())
    buffers = sum(buffer.nbytes for buffer in model.buffers())
    repvgg_seg.optimize_for_inference(model, input_shape=(1, 3, 64, 64), dilation='dilated', **arguments)
    assert len(models) == measured
    assert limits == [10**6 + weights + buffers] * measured


def test_without_the_operators_the_pass_stands_back(monkeypatch):
    monkeypatch.setattr(winograd, 'is_available', lambda: False)
    optimized = repvgg_seg.optimize_for_inference(segmentor(), input_shape=(1, 3, 64, 64), dilation='dilated')
    assert 'winograd' not in optimized.optimize_report
    assert not any(isinstance(module, WinogradConv) for module in optimized.modules())
