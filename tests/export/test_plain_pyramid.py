import pytest
import torch
from helpers import relative_error
from small_models import psp_head

from repvgg_seg.export.plain_pyramid import PlainPyramid
from repvgg_seg.models.folded_psp_head import FoldedPSPHead


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('pool_scales', [(1, 2, 3, 6), (4,)])
@pytest.mark.parametrize('size', [(8, 11), (1, 5), (23, 3)])
@torch.no_grad()
def test_it_computes_what_the_head_of_mmseg_computes(size, pool_scales, align_corners):
    head = psp_head(align_corners, pool_scales)
    maps = [torch.randn(2, 16, *size) for _ in range(4)]
    expected = head(maps)
    folded = FoldedPSPHead.from_head(head)
    folded.switch_to_deploy()
    pyramid = folded.bottleneck
    for plain in (PlainPyramid(pyramid), PlainPyramid(pyramid, size)):
        folded.bottleneck = plain.eval()
        assert relative_error(folded(maps), expected) < 2e-6
