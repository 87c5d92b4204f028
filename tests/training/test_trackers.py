import pytest
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import visualizer_packages
from repvgg_seg.training.trackers import TRACKERS, add_trackers

LOCAL, BOARD = dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')


def added(names, monkeypatch, backends, missing=()):
    monkeypatch.setattr(visualizer_packages, 'find_spec', lambda module: None if module in missing else 'found')
    cfg = Config(dict(work_dir='work', visualizer=dict(type='SegLocalVisualizer', vis_backends=backends)))
    add_trackers(cfg, names)
    return [dict(backend) for backend in cfg.visualizer.vis_backends]


@pytest.mark.parametrize(
    'given, names, expected',
    [
        ([LOCAL], ['tensorboard'], [LOCAL, BOARD]),
        (None, ['tensorboard', 'tensorboard'], [LOCAL, BOARD]),
        ([BOARD], ['tensorboard'], [BOARD]),
        (dict(BOARD), ['wandb'], [BOARD, dict(type='WandbVisBackend')]),
        ([LOCAL], ['aim'], [LOCAL, dict(type='AimVisBackend', init_kwargs=dict(repo='work'))]),
    ],
)
def test_backends_are_added_once(given, names, expected, monkeypatch):
    assert added(names, monkeypatch, given) == expected


def test_the_files_of_mlflow_are_in_the_work_dir_unless_a_server_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    _, backend = added(['mlflow'], monkeypatch, [LOCAL])
    assert backend['tracking_uri'] == f'sqlite:///{tmp_path}/work/mlflow.db' and backend['exp_name'] == 'work'
    assert backend['artifact_location'] == f'file://{tmp_path}/work/mlflow_artifacts'
    monkeypatch.setenv('MLFLOW_TRACKING_URI', 'http://there')
    assert added(['mlflow'], monkeypatch, [LOCAL])[1] == dict(type='MLflowVisBackend', tracking_uri='http://there')


@pytest.mark.parametrize('name', TRACKERS)
def test_a_missing_package_is_named(name, monkeypatch):
    everything = [module for modules, _ in visualizer_packages._PACKAGES.values() for module in modules]
    with pytest.raises(InputError, match=rf'^--tracker {name} needs a package .* pip install .*{name}'):
        added([name], monkeypatch, [LOCAL], missing=everything)
