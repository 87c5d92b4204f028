import pytest
import torch
from helpers import randomise_bn, relative_error

from repvgg_seg.export.identity_apart import IdentityApart, set_identities_apart
from repvgg_seg.models.repvgg import RepVGG

ARCH = dict(depths=(1, 2, 2, 2, 1), a=0.25, b=0.25)


@pytest.mark.parametrize('groups', [1, 2])
@torch.no_grad()
def test_the_same_with_small_weights_left(groups):
    """All but the first layers of the stages have the branch, also between groups and at a dilation."""
    torch.manual_seed(0)
    body = randomise_bn(RepVGG(dict(ARCH, groups=groups), output_stride=8)).eval()
    for name, parameter in body.named_parameters():
        if 'rbr_identity.weight' in name:
            parameter.fill_(3)
    body.switch_to_deploy()
    image = torch.randn(2, 3, 33, 47)
    expected = body(image)
    largest = {
        name: part.weight.abs().max() for name, part in body.named_modules() if isinstance(part, torch.nn.Conv2d)
    }
    set_identities_apart(body)
    assert all(relative_error(found, value) < 1e-5 for found, value in zip(body(image), expected, strict=True))
    apart = {name: part for name, part in body.named_modules() if isinstance(part, IdentityApart)}
    assert list(apart) == [f'stage{stage}.1.rbr_reparam' for stage in (1, 2, 3)]
    assert all(part.conv.weight.abs().max() < largest[name] for name, part in apart.items())
