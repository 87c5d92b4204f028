import torch
from small_models import options, segmentor
from torch import nn

from repvgg_seg.optimize.passes.compile import CompileRecord, compile_parts


def test_what_is_compiled(monkeypatch):
    """mmseg calls the parts of a head, not the head."""
    monkeypatch.setattr(torch, 'compile', lambda call, *args, **kwargs: call)
    asked = options(compile=True)
    _, record = compile_parts(segmentor(), asked)
    parts = {'psp_modules', 'bottleneck', 'conv_seg', 'dropout', 'loss_decode'}
    assert set(record.compiled) == {'backbone', *(f'decode_head.{part}' for part in parts)}
    assert str(record) == 'backbone and parts of the head compiled'
    _, record = compile_parts(nn.Conv2d(1, 1, 1), asked)
    assert record == CompileRecord(('',)) and str(record) == 'the model compiled'


def test_nothing_is_compiled_unless_asked_for():
    model = segmentor()
    assert compile_parts(model, options()) == (model, None)
