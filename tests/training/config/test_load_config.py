"""Reading a config file."""

import importlib
import sys

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import load_config

B2 = 'configs/pspnet_repvgg_b2.py'


def test_no_config_and_options_that_do_not_fit(tmp_path):
    with pytest.raises(InputError, match='no config nowhere.py'):
        load_config('nowhere.py')
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(')
    with pytest.raises(InputError, match='cannot be read as a config: SyntaxError'):
        load_config(str(broken))
    with pytest.raises(InputError, match='model.backbone.arch.depth does not fit'):
        load_config(B2, {'model.backbone.arch.depth': 3})


@pytest.mark.parametrize(
    'text, cause',
    [
        ('model = undefined', "NameError: name 'undefined' is not defined"),
        ('import nowhere_to_be_found', 'ModuleNotFoundError'),
        (
            "custom_imports = dict(imports=['nowhere_to_be_found'])",
            r"ImportError: No module named 'nowhere_to_be_found' \(custom_imports finds modules beside the config and on PYTHON",
        ),
        ("_base_ = ['repvgg_seg::pspnet_repvgg_b2.py']", 'ValueError'),
        ('model = 1 / 0', 'ZeroDivisionError: division by zero'),
    ],
)
def test_whatever_a_config_raises_is_one_line(tmp_path, text, cause):
    path = tmp_path / 'own.py'
    path.write_text(text)
    with pytest.raises(InputError, match=f'own.py cannot be read as a config: {cause}') as error:
        load_config(str(path))
    assert '\n' not in str(error.value)


def test_a_part_of_a_config_and_a_checkpoint_in_its_place(tmp_path):
    with pytest.raises(InputError, match='has no model'):
        load_config('configs/_base_/runtime/default_runtime.py')
    checkpoint = tmp_path / 'x.pth'
    checkpoint.touch()
    with pytest.raises(InputError, match='the config comes first'):
        load_config(str(checkpoint))


@pytest.fixture
def _search_path(monkeypatch):
    monkeypatch.setattr('sys.path', list(sys.path))


def test_a_module_beside_the_config(tmp_path, _search_path, monkeypatch):
    (tmp_path / 'module_beside_it.py').write_text('import module_it_needs')
    config = tmp_path / 'own.py'
    config.write_text("custom_imports = dict(imports=['module_beside_it'])\nmodel = dict()")
    with pytest.raises(InputError, match="No module named 'module_it_needs'"):
        load_config(str(config))
    (tmp_path / 'module_it_needs.py').touch()
    importlib.invalidate_caches()
    monkeypatch.chdir(tmp_path)
    assert load_config('own.py').model == {}
    assert sys.path.count(str(tmp_path)) == 1 and sys.path[-1] == str(tmp_path)
