import sys

from repvgg_seg.invocation import as_typed, command_line, config_name


def test_in_a_clone():
    assert command_line('train') == ([sys.executable, 'tools/train.py'], 'python tools/train.py')
    assert as_typed('train', 'my x.py', 3) == "python tools/train.py 'my x.py' 3"
    assert config_name('pspnet_repvgg_b2') == 'configs/pspnet_repvgg_b2.py'
    assert config_name('imagenet/repvgg_a0_120e') == 'configs/imagenet/repvgg_a0_120e.py'


def test_elsewhere(tmp_path, monkeypatch):
    """Also beside the tools and configs of another project."""
    for name in ('tools/make_synthetic_scenes.py', 'configs/pspnet_repvgg_b2.py'):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, '-m', 'repvgg_seg.cli.main', 'make-synthetic-scenes']
    assert command_line('make_synthetic_scenes') == (command, 'repvgg-seg make-synthetic-scenes')
    assert as_typed('download_weights', '--list') == 'repvgg-seg download-weights --list'
    assert config_name('pspnet_repvgg_b2') == 'pspnet_repvgg_b2'
    assert config_name('imagenet/repvgg_a0_120e') == 'imagenet/repvgg_a0_120e'
