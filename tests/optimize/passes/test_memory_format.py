import torch
from helpers import relative_error
from small_models import options, segmentor

from repvgg_seg.optimize.passes.memory_format import MemoryFormatRecord, set_memory_format


@torch.no_grad()
def test_the_memory_format_is_that_asked_for():
    model = segmentor()
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    _, record = set_memory_format(model, options(memory_format='channels_last'))
    assert record == MemoryFormatRecord('channels_last', {}) and str(record) == 'channels last'
    seen = []
    model.backbone.stage0.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    assert model.backbone(x)[3].is_contiguous(memory_format=torch.channels_last)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert relative_error(model(x), expected) < 1e-5
    model = segmentor()
    _, record = set_memory_format(model, options(memory_format='channels_first'))
    assert str(record) == 'channels first'
    assert model.backbone(x)[3].is_contiguous()


def test_measured_times_are_told():
    record = MemoryFormatRecord('channels_first', dict(channels_first=0.001, channels_last=0.0025))
    assert str(record) == 'channels first (channels_first 1.0 ms, channels_last 2.5 ms)'
