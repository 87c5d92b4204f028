"""Several processes, as far as one process can tell."""

import pytest
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training import distributed


def test_a_launcher_without_torchrun(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(InputError, match='tools/dist_train.sh'):
        distributed.use_gloo_without_gpu(Config(dict(launcher='pytorch')))
