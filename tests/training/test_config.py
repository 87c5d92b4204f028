"""Reading a config file."""

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import load_config

B2 = 'configs/pspnet_repvgg_b2.py'


def test_no_config_and_options_that_do_not_fit(tmp_path):
    with pytest.raises(InputError, match='no config nowhere.py'):
        load_config('nowhere.py')
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(')
    with pytest.raises(InputError, match='is no config'):
        load_config(str(broken))
    with pytest.raises(InputError, match='--cfg-options do not fit'):
        load_config(B2, {'model.backbone.arch.depth': 3})


def test_a_part_of_a_config_and_a_checkpoint_in_its_place(tmp_path):
    with pytest.raises(InputError, match='has no model'):
        load_config('configs/_base_/runtime/default_runtime.py')
    checkpoint = tmp_path / 'x.pth'
    checkpoint.touch()
    with pytest.raises(InputError, match='the config comes first'):
        load_config(str(checkpoint))
