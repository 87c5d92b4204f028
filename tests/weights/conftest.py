import pytest
import torch
from weight_files import classifier, written_by

from repvgg_seg import reparameterize_model
from repvgg_seg.weight_names import FAMILIES
from repvgg_seg.weights import install_safe_reader


@pytest.fixture
def safe_reader():
    """mmengine's readers are the safe ones, as in our tools, until the test ends."""
    install_safe_reader()


@pytest.fixture(scope='module')
def tiny():
    """A classifier, its fused copy, an image and the logits."""
    torch.manual_seed(0)
    model = classifier(num_classes=10)
    image = torch.randn(2, 3, 64, 64)
    return model, reparameterize_model(model), image, model(image).detach()


@pytest.fixture
def files(tiny, tmp_path):
    """A file of every family and form, by name."""
    paths = {}
    for model, form in zip(tiny[:2], ('training', 'deploy'), strict=True):
        for family in FAMILIES:
            paths[family, form] = tmp_path / f'{family}-{form}.pth'
            torch.save(written_by(model, family), paths[family, form])
    return paths
