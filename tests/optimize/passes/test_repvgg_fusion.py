from small_models import SMALL, options
from torch import nn

from repvgg_seg.models import RepVGG
from repvgg_seg.optimize.passes.repvgg_fusion import FusionRecord, fuse_repvgg


def test_fusion_tells_what_it_leaves():
    model = nn.Sequential(
        RepVGG(SMALL, norm_cfg=dict(type='GN', num_groups=1), out_indices=(3,)), RepVGG(SMALL, out_indices=(3,))
    )
    fused, record = fuse_repvgg(model, options())
    assert fused is model
    assert record == FusionRecord(fused=8, left={'GN': 8})
    assert str(record) == '8 RepVGG blocks became one conv each; 8 blocks left as they are: GN cannot be folded'


def test_nothing_to_fuse():
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    assert fuse_repvgg(model, options()) == (model, None)
