import pytest
import torch
from helpers import randomise_bn, relative_error
from mmseg.registry import MODELS

from repvgg_seg import RepVGG, RepVGGClassifier, reparameterize_model
from repvgg_seg.errors import InputError

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


def test_losses_by_hand():
    model = RepVGGClassifier(TINY, num_classes=3, label_smoothing=0.3).eval()
    x = torch.randn(2, 3, 32, 32)
    logs = model(x).log_softmax(1)

    def target(label):
        return torch.full((3,), 0.1).index_fill(0, torch.tensor(label), 0.8)

    loss = model(x, torch.tensor([2, 0]), mode='loss')['loss']
    torch.testing.assert_close(loss, -(logs[0] @ target(2) + logs[1] @ target(0)) / 2)
    mixed = model(x, torch.tensor([[2.0, 0.0, 0.25], [0.0, 2.0, 0.25]]), mode='loss')['loss']
    expected = -(logs[0] @ (0.75 * target(2) + 0.25 * target(0)) + logs[1] @ (0.75 * target(0) + 0.25 * target(2))) / 2
    torch.testing.assert_close(mixed, expected)


def test_predictions():
    model = RepVGGClassifier(TINY, num_classes=3).eval()
    x = torch.randn(2, 3, 32, 32)
    found = model(x, torch.tensor([1, 2]), mode='predict')
    assert torch.equal(torch.stack([one['logits'] for one in found]), model(x))
    assert [int(one['label']) for one in found] == [1, 2]


def test_the_preprocessor_is_built_from_its_config():
    model = RepVGGClassifier(TINY, num_classes=3, data_preprocessor=dict(type='ClassificationPreprocessor'))
    data = dict(inputs=torch.full((1, 3, 32, 32), 255, dtype=torch.uint8), labels=torch.tensor([0]))
    (result,) = model.eval().test_step(data)
    white = (torch.full((3,), 255.0) - torch.tensor([123.675, 116.28, 103.53])) / torch.tensor([58.395, 57.12, 57.375])
    torch.testing.assert_close(result['logits'], model(white.view(1, 3, 1, 1).expand(1, 3, 32, 32))[0])


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(num_classes=0), 'num_classes must be a positive integer, got 0'),
        (dict(label_smoothing=1.5), 'label_smoothing must be from 0 to 1, got 1.5'),
        (dict(stem_stride=4), 'stem_stride must be 2 or, for small images, 1, got 4'),
    ],
)
def test_refusals(kwargs, message):
    with pytest.raises(InputError, match=message):
        RepVGGClassifier(TINY, **kwargs)


def test_a_stem_of_stride_1():
    """Twice the size everywhere, the same weights."""
    small, large = RepVGGClassifier(TINY, stem_stride=1).eval(), RepVGGClassifier(TINY).eval()
    large.load_state_dict(small.state_dict())
    x = torch.randn(1, 3, 64, 64)
    assert small.backbone(x)[0].shape[2:] == (4, 4) and large.backbone(x)[0].shape[2:] == (2, 2)
    deploy = RepVGGClassifier(TINY, stem_stride=1, deploy=True).eval()
    deploy.load_state_dict(small.state_dict())
    assert relative_error(deploy(x), small(x)) < 1e-5
