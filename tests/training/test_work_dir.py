import pytest
from mmengine.config import Config

from repvgg_seg.errors import InputError
from repvgg_seg.training.work_dir import make_folder, set_work_dir


def test_a_folder_that_cannot_be_made(tmp_path):
    make_folder(str(tmp_path / 'a' / 'b'), '--out')
    make_folder(None, '--out')
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='--out .*file: cannot make this folder'):
        make_folder(str(tmp_path / 'file'), '--out')
    with pytest.raises(InputError, match='--out names no folder'):
        make_folder('', '--out')
    with pytest.raises(InputError, match='--out /proc: cannot write into this folder'):
        make_folder('/proc', '--out')  # the rights of root do not help there


@pytest.mark.parametrize(
    'given, in_config, expected', [('here', 'there', 'here'), (None, 'there', 'there'), (None, None, 'work_dirs/name')]
)
def test_work_dir(given, in_config, expected):
    cfg = Config(dict(work_dir=in_config) if in_config else {})
    set_work_dir(cfg, 'some/name.py', given)
    assert cfg.work_dir == expected
