"""What the comparison of two forms sees."""

import pytest
import torch
from torch import nn

from repvgg_seg.benchmark.verify import compare


@torch.inference_mode()
def test_verify_sees_what_differs():
    model = nn.Conv2d(3, 4, 1)
    other = nn.Conv2d(3, 4, 1)
    other.load_state_dict(model.state_dict())
    other.bias += 1
    image = torch.rand(1, 3, 8, 8)
    found = compare(model, dict(same=model, other=other), image)
    assert found['same'] == dict(relative_error=0, argmax_equal=1)
    assert found['other']['relative_error'] == pytest.approx(1 / model(image).abs().max().item(), rel=1e-4)
    assert found['other']['argmax_equal'] == 1  # every class by the same
