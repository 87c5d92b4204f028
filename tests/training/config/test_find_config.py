from pathlib import Path

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import find_config as module
from repvgg_seg.training.config import load_config
from repvgg_seg.training.config.find_config import config_names, find_config, packaged_configs

REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A current folder that holds nothing of the project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    'name', ['pspnet_repvgg_b2', 'pspnet_repvgg_b2.py', 'configs/pspnet_repvgg_b2', 'configs/pspnet_repvgg_b2.py']
)
def test_names_of_a_packaged_config(name):
    assert Path(find_config(name)).resolve() == REPO / 'configs' / 'pspnet_repvgg_b2.py'
    assert load_config(name).model.backbone.arch == 'B2'


def test_in_a_folder():
    assert Path(find_config('imagenet/repvgg_a0_120e')).resolve() == REPO / 'configs/imagenet/repvgg_a0_120e.py'


@pytest.mark.parametrize('name', ['pspnet_repvgg_b2', 'pspnet_repvgg_b2.py', './pspnet_repvgg_b2'])
def test_a_file_in_the_current_folder_wins(elsewhere, name):
    (elsewhere / 'pspnet_repvgg_b2.py').write_text('')
    assert Path(find_config(name)).resolve() == elsewhere / 'pspnet_repvgg_b2.py'


def test_a_folder_is_no_file(elsewhere):
    (elsewhere / 'pspnet_repvgg_b2').mkdir()
    assert Path(find_config('pspnet_repvgg_b2')).resolve() == REPO / 'configs' / 'pspnet_repvgg_b2.py'


@pytest.mark.parametrize(
    'name, message',
    [
        ('pspnet_repvg_b2', 'no config pspnet_repvg_b2: did you mean pspnet_repvgg_b2'),
        ('repvgg_a0_120e.py', r'no config repvgg_a0_120e\.py: did you mean imagenet/repvgg_a0_120e'),
        ('xyz', 'no config xyz: give the path of a file, or a name out of .*configs$'),
        ('/nowhere/xyz.py', 'no config /nowhere/xyz.py: give'),
        ('imagenet', 'no config imagenet: give'),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(InputError, match=message):
        find_config(name)


def test_the_names_are_those_of_runnable_configs():
    names = config_names()
    assert 'pspnet_repvgg_b2' in names and 'imagenet/repvgg_b3_200e' in names
    assert len(names) == len(
        [path for folder in ('.', 'imagenet', 'ablation') for path in (REPO / 'configs' / folder).glob('*.py')]
    )


def test_a_checkout_without_links(tmp_path, monkeypatch):
    """Where the file system has no links, git writes a file that holds the target's name."""
    (tmp_path / 'package' / '.mim').mkdir(parents=True)
    (tmp_path / 'package' / '.mim' / 'configs').write_text('../../configs')
    monkeypatch.setattr(module, 'PACKAGE', tmp_path / 'package')
    assert packaged_configs() == tmp_path / 'configs'
