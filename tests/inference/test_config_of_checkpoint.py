"""A config in a checkpoint builds a network and runs nothing."""

import sys

import pytest
import torch
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.inference import Segmentor
from repvgg_seg.inference.config_of_checkpoint import config_of_checkpoint

PLAIN = """
model = dict(type='EncoderDecoder', backbone=dict(type='RepVGG', arch='A0', init_cfg=dict(type='Pretrained', checkpoint='x')))
test_pipeline = [dict(type='LoadImageFromFile', backend_args=dict(backend='http')), dict(type='PackSegInputs')]
"""


def test_model_pipeline_and_classes_are_taken():
    loader = "test_dataloader = dict(dataset=dict(type='CamVidDataset', data_root='/home', pipeline=[dict(type='PackSegInputs')]))"
    cfg = config_of_checkpoint(
        dict(cfg=f'{PLAIN}\n{loader}\ncustom_imports = dict(imports=["none_such"])\nlr = 1'), 'x.pth'
    )
    assert set(cfg) == {'model', 'test_pipeline', 'test_dataloader'}
    assert cfg.model.backbone == dict(type='RepVGG', arch='A0', init_cfg=None)
    assert cfg.test_pipeline == [dict(type='PackSegInputs')]
    assert cfg.test_dataloader.dataset == dict(type='CamVidDataset', metainfo=None)
    assert config_of_checkpoint(dict(cfg=PLAIN), 'x.pth').test_pipeline[0] == dict(
        type='LoadImageFromFile', backend_args=None
    )


@pytest.mark.parametrize(
    'change, said',
    [
        ("model['x'] = dict(type='os.system', command='true')", 'is more than plain values'),
        ("evil = __import__('os')", 'is more than plain values'),
        ("model = dict(type='os.system', command='true')", r'not imported from there \(os.system\)'),
        ("model = dict(type='evil_module.Network')", 'evil_module.Network'),
        ("model = dict(type='mmseg.apis.init_model')", 'mmseg.apis.init_model'),
        ("model = dict(type='EncoderDecoder', backbone=[dict(a=dict(type='builtins.exec'))])", 'builtins.exec'),
        ("model = dict(type='EncoderDecoder', _scope_='evil_module')", '_scope_=evil_module'),
        ("test_pipeline = [dict(type='evil_module.step')]", 'evil_module.step'),
        ("test_dataloader = dict(dataset=dict(pipeline=[dict(type='evil_module.step')]))", 'evil_module.step'),
        ("test_dataloader = dict(dataset=dict(type='evil_module.Data'))", None),
        ("model = 3", 'is more than plain values'),
    ],
)  # fmt: skip
def test_what_could_run_code_is_refused(tmp_path, monkeypatch, change, said):
    (tmp_path / 'evil_module.py').write_text("raise SystemExit('it ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    meta = dict(cfg=f'{PLAIN}\n{change}')
    if said is None:
        assert 'test_dataloader' not in config_of_checkpoint(meta, 'x.pth')
    else:
        with pytest.raises(InputError, match=f'x.pth: .*{said}.*--config'):
            config_of_checkpoint(meta, 'x.pth')
    assert 'evil_module' not in sys.modules


@pytest.mark.parametrize('meta', [{}, dict(cfg=''), dict(cfg=3), dict(cfg='lr = 1')])
def test_no_config(meta):
    with pytest.raises(InputError, match='name the config as well'):
        config_of_checkpoint(meta, 'x.pth')


def test_a_checkpoint_alone_predicts_as_with_its_config(network, segmentor, photo):
    alone = Segmentor(checkpoint=network[1], device='cpu')
    assert (alone.classes, alone.palette, alone.config) == (segmentor.classes, segmentor.palette, None)
    assert (alone.predict(photo).labels == segmentor.predict(photo).labels).all()


def test_its_options_are_put_over_it(network):
    cfg = Config.fromfile(network[0])
    assert cfg.model.test_cfg.mode == 'whole'
    slide = Segmentor(
        checkpoint=network[1],
        device='cpu',
        cfg_options={'model.test_cfg': dict(mode='slide', crop_size=(32, 32), stride=(20, 20))},
    )
    assert slide.model.test_cfg.mode == 'slide'
    assert torch.is_tensor(next(slide.model.parameters()))
