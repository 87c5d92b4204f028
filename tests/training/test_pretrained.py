import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import load_config
from repvgg_seg.training.pretrained import check_pretrained


def test_absent_imagenet_weights(tmp_path, monkeypatch):
    cfg = load_config('configs/pspnet_repvgg_b2.py')
    with pytest.raises(InputError) as error:
        check_pretrained(cfg.model)
    for words in ('pretrained/RepVGG-B2-train.pth', 'github.com/DingXiaoH/RepVGG', 'model.backbone.init_cfg=None'):
        assert words in str(error.value)
    there = tmp_path / 'RepVGG-B2-train.pth'
    there.touch()
    cfg.model.backbone.init_cfg.checkpoint = str(there)
    check_pretrained(cfg.model)
    cfg.model.backbone.init_cfg = None
    check_pretrained(cfg.model)


def test_pretrained_without_a_name():
    with pytest.raises(InputError, match='init_cfg=None as a whole'):
        check_pretrained(dict(init_cfg=dict(type='Pretrained', checkpoint=None)))
