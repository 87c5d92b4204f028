import pytest
from mmengine.config import Config
from mmseg.registry import VISBACKENDS

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import visualizer_packages
from repvgg_seg.training.config.visualizer_packages import check_visualizer_packages


def check(*backends):
    check_visualizer_packages(Config(dict(visualizer=dict(vis_backends=list(backends)))))


@pytest.mark.parametrize(
    'name, package',
    [
        ('TensorboardVisBackend', 'tensorboard'), ('WandbVisBackend', 'wandb'), ('MLflowVisBackend', 'mlflow'),
        ('ClearMLVisBackend', 'clearml'), ('NeptuneVisBackend', 'neptune'), ('DVCLiveVisBackend', 'dvclive'),
        ('AimVisBackend', 'aim'),
    ],
)  # fmt: skip
def test_a_package_that_is_missing_is_named(name, package, monkeypatch):
    if VISBACKENDS.get(name) is None:
        pytest.skip('a later mmengine has it')
    monkeypatch.setattr(visualizer_packages, 'find_spec', lambda module: None)
    with pytest.raises(InputError, match=rf'^visualizer\.vis_backends\.1: {name} .*: pip install .*{package}'):
        check(dict(type='LocalVisBackend'), dict(type=name))
    monkeypatch.setattr(visualizer_packages, 'find_spec', lambda module: 'found')
    check(dict(type=name))


def test_a_subclass_needs_the_same_package_and_no_visualizer_needs_none(monkeypatch):
    monkeypatch.setattr(visualizer_packages, 'find_spec', lambda module: None)
    own = type('Own', (VISBACKENDS.get('WandbVisBackend'),), {})
    with pytest.raises(InputError, match='Own needs a package that is not installed: pip install wandb'):
        check(dict(type=own))
    check_visualizer_packages(Config(dict(visualizer=None)))
    check_visualizer_packages(Config(dict(visualizer=dict(type='Visualizer'))))
