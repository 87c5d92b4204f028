"""Weights for images of three channels in a network for other images."""

from itertools import islice

import pytest
import torch
from helpers import relative_error
from mmengine.logging import MMLogger
from mmengine.runner import load_checkpoint
from weight_files import LIMIT, TINY, classifier, pretrained, written_by

from repvgg_seg import RepVGG, RepVGGClassifier, load_weights, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models.stem_channels import inflate
from repvgg_seg.weight_names import FAMILIES

EXPECTED = {  # of a kernel of 1, 2 and 6 for red, green and blue: what a grey image gets is 9 times its value
    ('mean', 1): [9],
    ('mean', 2): [4.5, 4.5],
    ('mean', 4): [2.25, 2.25, 2.25, 2.25],
    ('mean', 9): [1] * 9,
    ('repeat', 4): [0.5, 2, 6, 0.5],
    ('repeat', 6): [0.5, 1, 3, 0.5, 1, 3],
    ('repeat', 9): [1 / 3, 2 / 3, 2] * 3,
}


@pytest.mark.parametrize('dtype', [torch.float, torch.half])
@pytest.mark.parametrize('how, channels', EXPECTED)
def test_kernels_by_hand(how, channels, dtype):
    kernel = torch.tensor([1.0, 2.0, 6.0], dtype=dtype).reshape(1, 3, 1, 1).repeat(5, 1, 3, 3)
    found = inflate(kernel, channels, how)
    expected = torch.tensor(EXPECTED[how, channels], dtype=dtype)
    assert found.dtype == dtype and torch.equal(found, expected.reshape(1, -1, 1, 1).expand(5, channels, 3, 3))


@pytest.fixture(scope='module')
def tiny():
    torch.manual_seed(0)
    model = classifier(num_classes=10)
    return model, reparameterize_model(model)


def ways_in(path, **kwargs):
    """The same file by `Pretrained`, by mmengine's loader, by ours and by torch, into backbones and a classifier."""
    body = RepVGG(TINY, **kwargs, init_cfg=pretrained(path))
    body.init_weights()
    yield body
    for load in (load_checkpoint, load_weights, lambda m, f: m.load_state_dict(torch.load(f))):
        for cls in (RepVGG, RepVGGClassifier):
            model = cls(TINY, **kwargs, **(dict(num_classes=10) if cls is RepVGGClassifier else {}))
            load(model, str(path))
            yield model.backbone if cls is RepVGGClassifier else model


@pytest.mark.slow
@pytest.mark.parametrize('family', FAMILIES)
@torch.no_grad()
def test_a_grey_image_gets_the_features_that_it_had(tiny, family, tmp_path):
    grey = torch.randn(1, 1, 64, 64)
    expected = tiny[0].backbone(grey.expand(1, 3, 64, 64))[0]
    for deploy, source in enumerate(tiny):
        torch.save(written_by(source, family), tmp_path / 'x.pth')
        for how, channels in EXPECTED:
            ways = ways_in(tmp_path / 'x.pth', in_channels=channels, stem_weights=how, deploy=bool(deploy))
            for body in islice(ways, None if channels == 4 else 1):
                features = body.eval()(grey.expand(1, channels, 64, 64))[-1]
                assert relative_error(features, expected) < LIMIT, (how, channels, deploy)


@torch.no_grad()
def test_fitting_and_fusing_can_change_places(tiny):
    image = torch.randn(1, 4, 64, 64)
    for how in ('mean', 'repeat'):
        plain, fused = (RepVGG(TINY, in_channels=4, stem_weights=how, deploy=deploy).eval() for deploy in (0, 1))
        plain.load_state_dict(tiny[0].state_dict())
        fused.load_state_dict(tiny[1].state_dict())
        for found, expected in zip(fused(image), plain(image), strict=True):
            assert relative_error(found, expected) < LIMIT


def test_it_is_said_once_and_refused_without_the_option(tiny, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle', lambda record: said.append(record.getMessage()))
    torch.save(tiny[0].state_dict(), tmp_path / 'x.pth')
    RepVGG(TINY, in_channels=4, stem_weights='repeat', init_cfg=pretrained(tmp_path / 'x.pth')).init_weights()
    assert [line for line in said if 'stem' in line] == [
        "stem_weights='repeat': the first layer of the weights takes 3 channels and is fitted to 4, in the order of the "
        'weights (red, green, blue of ImageNet weights)'
    ]
    for model in tiny:
        for channels in (1, 4):
            with pytest.raises(
                InputError, match=rf'images of 3 channels, the backbone takes {channels}: set stem_weights'
            ):
                RepVGG(TINY, channels).load_state_dict(model.state_dict(), strict=False)
    with pytest.raises(InputError, match='"repeat" needs at least the 3 channels of the weights, the backbone takes 1'):
        RepVGG(TINY, 1, stem_weights='repeat').load_state_dict(tiny[0].state_dict())


def test_weights_that_fit_stay_as_they_are(tiny):
    four = RepVGG(TINY, in_channels=4)
    again = RepVGG(TINY, in_channels=4, stem_weights='mean')
    again.load_state_dict(four.state_dict())
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in four.state_dict().items())
