import pytest
import torch
from helpers import randomise_bn, relative_error
from mmseg.registry import MODELS

from repvgg_seg import RepVGG, RepVGGClassifier, reparameterize_model

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)

# Paper, Tables 4 and 5: parameters in millions of the fused network, truncated.
PARAMS = {
    'A0': 8.30, 'A1': 12.78, 'A2': 25.49, 'B0': 14.33, 'B1': 51.82, 'B1g2': 41.36, 'B1g4': 36.12,
    'B2': 80.31, 'B2g4': 55.77, 'B3': 110.96, 'B3g4': 75.62,
}  # fmt: skip


@pytest.mark.parametrize('arch, millions', PARAMS.items())
def test_parameters_of_the_fused_classifier(arch, millions):
    with torch.device('meta'):
        params = sum(parameter.numel() for parameter in RepVGGClassifier(arch, deploy=True).parameters())
    assert int(params / 1e4) / 100 == millions
    if arch == 'A0':
        assert params == 8_309_384


def test_logits_by_hand():
    model = randomise_bn(RepVGGClassifier(TINY, num_classes=10, in_channels=4)).eval()
    x = torch.randn(2, 4, 64, 96)
    backbone = RepVGG(TINY, in_channels=4).eval()
    backbone.load_state_dict(model.backbone.state_dict())
    expected = backbone(x)[3].mean((2, 3)) @ model.linear.weight.T + model.linear.bias
    assert model(x).shape == (2, 10)
    torch.testing.assert_close(model(x), expected)


def test_built_by_the_registry_and_fused():
    model = MODELS.build(dict(type='RepVGGClassifier', arch=TINY, num_classes=10))
    randomise_bn(model).eval()
    fused = reparameterize_model(model)
    x = torch.randn(2, 3, 64, 64)
    assert relative_error(fused(x), model(x)) < 1e-5
    deploy = RepVGGClassifier(TINY, num_classes=10, deploy=True).eval()
    deploy.load_state_dict(fused.state_dict())
    assert torch.equal(deploy(x), fused(x))
