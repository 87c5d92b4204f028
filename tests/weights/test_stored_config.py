import pytest
from mmengine.config import Config
from tiny import tiny_config

from repvgg_seg.weights.stored_config import stored_config


def test_the_config_in_a_checkpoint(scenes, tmp_path):
    cfg = tiny_config(scenes, tmp_path)
    cfg.paramwise = [{'backbone.stage0': dict(lr_mult=0.1)}, {'a.b': {'c.d': (1, -2)}}]
    assert stored_config(dict(cfg=cfg.pretty_text)).to_dict() == Config.fromstring(cfg.pretty_text, '.py').to_dict()
    assert stored_config({}) is None


@pytest.mark.parametrize(
    'text',
    ["__import__('os').mkdir({ran!r})", "a = __import__('os').mkdir({ran!r})", 'import os\nos.mkdir({ran!r})', 'a = ('],
)
def test_the_config_in_a_checkpoint_is_not_run(text, tmp_path):
    assert stored_config(dict(cfg=text.format(ran=str(tmp_path / 'ran')))) is None
    assert not (tmp_path / 'ran').exists()
