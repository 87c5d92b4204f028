"""The probe of oneDNN's private operators, and what is said where they fail it."""

import pytest
import torch
import torch.nn.functional as F

from repvgg_seg.optimize import onednn


@pytest.fixture
def messages(monkeypatch):
    messages = []
    monkeypatch.setattr(onednn, 'print_log', lambda message, logger: messages.append(message))
    onednn.is_available.cache_clear()
    yield messages
    onednn.is_available.cache_clear()


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='this torch has no oneDNN')
def test_the_operators_compute_a_grouped_conv(messages):
    assert onednn.is_available() and not messages
    x, kernel = torch.randn(2, 6, 7, 3), torch.randn(9, 2, 1, 1)
    packed = onednn.pack_kernel(kernel, groups=3)
    assert torch.equal(onednn.unpack_kernel(packed), kernel)
    assert torch.allclose(onednn.conv_1x1(x, packed, groups=3), F.conv2d(x, kernel, groups=3), atol=1e-6)


def gone(*args, **kwargs):
    raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_convolution_pointwise'")


def changed(*args, **kwargs):
    raise RuntimeError('mkldnn::_convolution_pointwise() expected at most 9 arguments\nbut received 10')


@pytest.mark.parametrize(
    'operator, said',
    [
        (gone, "no attribute '_convolution_pointwise'"),
        (changed, 'at most 9 arguments'),
        (lambda x, packed, groups: torch.zeros(1, 6, 5, 1), "do not compute what torch's conv does"),
    ],
)
def test_operators_that_fail_are_not_used(monkeypatch, messages, operator, said):
    monkeypatch.setattr(onednn, 'conv_1x1', operator)
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: True)
    assert not onednn.is_available() and not onednn.is_available()
    (message,) = messages  # said once
    assert message.endswith(said) and '\n' not in message


def test_a_torch_without_onednn(monkeypatch, messages):
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
    assert not onednn.is_available()
    assert messages[0].endswith('this torch has no oneDNN')
