"""The compiled backbone trains as the one that is not, and its state dict and its fused copy stay what they are."""

from types import SimpleNamespace

import torch
from small_models import segmentor

from repvgg_seg.models import reparameterize_model
from repvgg_seg.training.hooks import CompileHook


def gradients(model, image):
    sum(out.square().mean() for out in model.backbone(image)).backward()
    return {name: p.grad for name, p in model.backbone.named_parameters() if p.grad is not None}


def test_gradients_are_the_same():
    image = torch.randn(2, 3, 64, 64)
    torch.manual_seed(0)
    plain = segmentor().train()
    compiled = segmentor().train()
    compiled.load_state_dict(plain.state_dict())
    CompileHook(backend='eager').before_train(SimpleNamespace(model=compiled))
    assert [name for name, m in compiled.named_modules() if m._compiled_call_impl is not None] == [
        f'backbone.stage{i}' for i in range(1, 5)
    ]
    expected, found = (gradients(model, image) for model in (plain, compiled))
    assert expected and expected.keys() == found.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], msg=name)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    fused = reparameterize_model(compiled.eval())
    assert all(module._compiled_call_impl is None for module in fused.modules())
