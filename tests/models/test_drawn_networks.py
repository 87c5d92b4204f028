"""What holds for every network that a config can describe, tried on drawn ones."""

import pytest
import torch
from helpers import randomise_bn, relative_error

from repvgg_seg import RepVGG, reparameterize_model
from repvgg_seg.models.archs import SE_RATIO, ArchSpec
from repvgg_seg.models.block import RepVGGBlock
from repvgg_seg.models.stride_dilation_plan import LayerPlan, plan_layers
from repvgg_seg.weight_names import FAMILIES, sort_weights, to_checkpoint

pytest.importorskip('hypothesis', reason='networks are drawn by the library hypothesis: pip install hypothesis')
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

# Rounding: units in the last place of a number, times the number of additions that may differ. In bfloat16 the branches are
# rounded one by one, and each layer adds its own error.
LIMITS = {torch.float64: 1e-12, torch.float32: 1e-4, torch.bfloat16: 0.15}
SIZES = st.integers(1, 70)


def drawn(examples):
    """The same examples in every run, and nothing is kept on disk."""
    checks = list(HealthCheck)
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=checks)


@st.composite
def specs(draw):
    """An architecture with 4 to 32 channels."""
    depths = (1, *draw(st.lists(st.integers(1, 3), min_size=4, max_size=4)))
    a, b = draw(st.sampled_from((1 / 16, 1 / 8, 1 / 4))), draw(st.sampled_from((1 / 64, 1 / 32, 1 / 16)))
    widths = [64 * a, 128 * a, 256 * a, 512 * b]
    groups = draw(st.sampled_from([groups for groups in (1, 2, 4, 8) if not any(width % groups for width in widths)]))
    return ArchSpec(depths, a, b, groups, se=min(widths) >= SE_RATIO and draw(st.booleans()))


@st.composite
def networks(draw):
    """The arguments of a backbone."""
    spec, output_stride = draw(specs()), draw(st.sampled_from((32, 16, 8)))
    dilated = sum(spec.depths[{32: 5, 16: 4, 8: 3}[output_stride] :])
    dilate_last = draw(st.none() | st.integers(1, dilated)) if dilated else None
    return dict(
        arch=spec,
        in_channels=draw(st.integers(1, 5)),
        output_stride=output_stride,
        dilate_last=dilate_last,
        stem_stride=draw(st.sampled_from((2, 1))),
    )


@drawn(40)
@given(
    data=st.data(),
    groups=st.sampled_from((1, 2, 3)),
    stride=st.sampled_from((1, 2)),
    dilation=st.integers(1, 4),
    dtype=st.sampled_from(list(LIMITS)),
    height=SIZES,
    width=SIZES,
)
def test_a_fused_block_computes_what_its_branches_do(data, groups, stride, dilation, dtype, height, width):
    channels = st.integers(1, 4).map(lambda number: number * groups)
    inputs = data.draw(channels)
    outputs = data.draw(channels | st.just(inputs))
    plan = LayerPlan(2, inputs, outputs, stride, dilation, groups, se=False)
    block = randomise_bn(RepVGGBlock(plan)).eval().to(dtype)
    image = torch.randn(2, inputs, height, width, dtype=dtype)
    with torch.no_grad():
        before = block(image)
        block.switch_to_deploy()
        after = block(image)
    assert (block.rbr_reparam.weight.shape, after.dtype) == ((outputs, inputs // groups, 3, 3), dtype)
    assert tuple(before.shape) == tuple(after.shape) == (2, outputs, -(-height // stride), -(-width // stride))
    assert torch.allclose(after, before, rtol=LIMITS[dtype], atol=LIMITS[dtype] * (1 + before.abs().max().item()))


@drawn(12)
@given(network=networks(), height=SIZES, width=SIZES, dtype=st.sampled_from((torch.float32, torch.float64)))
def test_a_fused_network_has_the_maps_and_sizes_of_its_plan(network, height, width, dtype):
    model = randomise_bn(RepVGG(**network)).eval().to(dtype)
    image = torch.randn(1, network['in_channels'], height, width, dtype=dtype)
    with torch.no_grad():
        maps, fused = model(image), reparameterize_model(model)(image)
    assert len(maps) == len(fused) == 4
    layers = plan_layers(network['arch'], *(network[name] for name in list(network)[1:]))
    spec, strides = network['arch'], {32: (2, 2, 2, 2), 16: (2, 2, 2, 1), 8: (2, 2, 1, 1)}[network['output_stride']]
    h, w = (-(-side // network['stem_stride']) for side in (height, width))
    for stage, (map_, other, stride) in enumerate(zip(maps, fused, strides, strict=True), 1):
        h, w = -(-h // stride), -(-w // stride)
        assert tuple(map_.shape) == tuple(other.shape) == (1, spec.widths[stage], h, w)
        of_stage = [layer for layer in layers if layer.stage == stage]
        assert [layer.stride for layer in of_stage] == [stride] + [1] * (spec.depths[stage] - 1)
        assert relative_error(other, map_) < LIMITS[dtype]


@drawn(12)
@given(spec=specs(), there=st.sampled_from(list(FAMILIES)), back=st.sampled_from(list(FAMILIES)), deploy=st.booleans())
def test_names_there_and_back_are_the_same(spec, there, back, deploy):
    state = RepVGG(spec, deploy=deploy).state_dict()
    written = to_checkpoint(sort_weights(to_checkpoint(sort_weights(state), there)), back)
    returned = sort_weights(written)
    assert returned.backbone.keys() == state.keys() and not returned.rest
    assert all(returned.backbone[name] is tensor for name, tensor in state.items())
