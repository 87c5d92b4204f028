import pytest
import torch
from helpers import relative_error
from small_models import options, segmentor

from repvgg_seg.optimize.passes.dtype import DtypeRecord, cast


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_cast_takes_and_gives_fp32(dtype):
    model = segmentor()
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    _, record = cast(model, options(dtype=dtype))
    assert record == DtypeRecord(dtype) and str(record) == f'computed in {str(dtype)[6:]}'
    assert next(model.backbone.parameters()).dtype is dtype
    found = model(x)
    assert found.dtype is torch.float32
    assert 0 < relative_error(found, expected) < 5e-2


def test_fp32_stays():
    model = segmentor()
    assert cast(model, options()) == (model, None)
