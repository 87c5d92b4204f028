"""What mmengine reads for `Pretrained`, `load_from` and `resume`, by the safe reader and by the lenient one."""

import pickle
from argparse import Namespace
from importlib import import_module

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint
from tiny import tiny_config
from weight_files import TINY, Malicious, pretrained

from repvgg_seg import RepVGG, load_weights
from repvgg_seg.errors import InputError
from repvgg_seg.weights.install_reader import install_lenient_reader
from repvgg_seg.weights.read import read_checkpoint


class Sneaky(Malicious):
    """Asks for `getattr`, which mmengine's logs need too; with the whole of it every builtin can be reached."""

    def __reduce__(self):
        return getattr, (getattr, '__self__')


@pytest.mark.slow
@pytest.mark.parametrize('kind', [Malicious, Sneaky])
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_a_pickle_that_runs_code(kind, zipped, scenes, tmp_path, safe_reader):
    path, trace = tmp_path / 'x.pth', tmp_path / 'ran'
    torch.save(dict(state_dict=dict(a=kind(trace))), path, _use_new_zipfile_serialization=zipped)
    ways = (
        lambda: read_checkpoint(path),
        lambda: load_weights(RepVGG(TINY), path),
        lambda: RepVGG(TINY, init_cfg=pretrained(path)).init_weights(),
        lambda: load_checkpoint(RepVGG(TINY), str(path)),
        lambda: Runner.from_cfg(tiny_config(scenes, tmp_path / 'work', load_from=str(path))).load_or_resume(),
        lambda: Runner.from_cfg(
            tiny_config(scenes, tmp_path / 'work', load_from=str(path), resume=True)
        ).load_or_resume(),
    )
    for way in ways:
        with pytest.raises(InputError, match=r'x\.pth holds more than tensors: reading it would run .*--trust'):
            way()
        assert not trace.exists()


def test_trust_in_an_init_cfg(tiny, tmp_path):
    torch.save(dict(state_dict=tiny[0].state_dict(), extra=Malicious(tmp_path / 'ran')), tmp_path / 'x.pth')
    RepVGG(TINY, init_cfg=pretrained(f'trusted://{tmp_path}/x.pth')).init_weights()
    assert (tmp_path / 'ran').exists()


def test_a_missing_file_by_every_way(scenes, tmp_path):
    gone = str(tmp_path / 'RepVGG-A0-train.pth')
    for way in (
        lambda: load_weights(RepVGG(TINY), gone),
        lambda: RepVGG(TINY, init_cfg=pretrained(gone)).init_weights(),
        lambda: Runner.from_cfg(tiny_config(scenes, tmp_path, load_from=gone)).load_or_resume(),
    ):
        with pytest.raises(InputError, match='no file .*RepVGG-A0-train.pth: take'):
            way()


@pytest.fixture
def said(monkeypatch):
    """The messages of mmengine's logger, as (level, text)."""
    messages = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'handle', lambda r: messages.append((r.levelname, r.msg)))
    return messages


@pytest.mark.parametrize(
    'content, held',
    [
        pytest.param(
            *(dict(a=Namespace(x=1)), 'argparse.Namespace'),
            marks=pytest.mark.upstream_cannot('mmengine 0.10.7 reads tensors alone with torch 2.6 or newer'),
        ),
        ([1, 2], 'a list and no dict'),
        ({}, 'an empty dict'),
    ],
    ids=['object', 'list', 'empty'],
)
def test_what_the_safe_reader_refuses_is_read_with_a_warning(content, held, tmp_path, said):
    """Unless somebody asked for the safe reader, which the next test does."""
    path = str(tmp_path / 'x.pth')
    torch.save(content, path)
    assert CheckpointLoader.load_checkpoint(path) == content
    ((_, warning),) = [m for m in said if 'repvgg_seg' in m[1]]
    assert path in warning and held in warning and 'install_safe_reader() makes mmengine refuse' in warning
    assert ('WARNING', warning) in said


@pytest.mark.parametrize('content', [dict(a=Namespace(x=1)), [1, 2], {}], ids=['object', 'list', 'empty'])
def test_the_safe_reader_refuses_it(content, tmp_path, safe_reader):
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(InputError, match=r'x\.pth holds'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))


def test_what_needs_no_warning_gets_none(tmp_path, said):
    torch.save(dict(a=torch.ones(2)), tmp_path / 'x.pth')
    assert torch.equal(CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))['a'], torch.ones(2))
    assert [level for level, _ in said if level != 'INFO'] == []


def test_what_neither_reader_takes_gives_our_message(tmp_path):
    (tmp_path / 'x.pth').write_bytes(pickle.dumps(3)[:-1])
    with pytest.raises(InputError, match=r'x\.pth is not a checkpoint, or a truncated one'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))


def test_a_reader_of_another_package_stays():
    def load_from_vault(filename, map_location):
        return filename

    CheckpointLoader.register_scheme('', load_from_vault, force=True)
    install_lenient_reader()
    assert CheckpointLoader.load_checkpoint('x.pth') == 'x.pth'


@pytest.mark.slow
@pytest.mark.parametrize(
    'tool', ['train', 'resume', 'init_cfg', 'test', 'reparameterize', 'convert_weights', 'benchmark']
)
def test_every_tool_refuses_code(tool, scenes, tmp_path, monkeypatch, capsys):
    path, trace, config = tmp_path / 'x.pth', tmp_path / 'ran', tmp_path / 'config.py'
    torch.save(dict(state_dict=dict(a=Malicious(trace))), path)
    cfg = tiny_config(scenes, tmp_path / 'work', load_from=str(path) if tool == 'train' else None)
    if tool == 'init_cfg':
        cfg.model.backbone.init_cfg = pretrained(path)
    cfg.dump(str(config))
    work = ('--work-dir', tmp_path / 'work')
    command, *args = {
        'train': ('train', config, *work),
        'resume': ('train', config, *work, '--resume', path),
        'init_cfg': ('train', config, *work),
        'test': ('test', config, path, *work),
        'reparameterize': ('reparameterize', config, path, tmp_path / 'out.pth'),
        'convert_weights': ('convert_weights', path, tmp_path / 'out.pth', '--to', 'timm'),
        'benchmark': ('benchmark', 'segmentors', config, '--checkpoint', path),
    }[tool]
    monkeypatch.setattr('sys.argv', [command, *map(str, args)])
    with pytest.raises(SystemExit) as end:
        import_module(f'repvgg_seg.cli.{command}').main()
    assert end.value.code == 2 and 'holds more than tensors' in capsys.readouterr().err
    assert not trace.exists()


@pytest.mark.parametrize('key', ['cfg', 'config'])
def test_a_config_in_a_meta_is_not_run(tiny, tmp_path, safe_reader, key):
    """mmengine runs `config` when it resumes and `cfg` in its inferencer; plain values stay."""
    text = f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\nmodel = dict(type='RepVGG')\n"
    for config, is_kept in ((text, False), ("model = dict(type='RepVGG')\n", True), ({'a': 1}, False), ('', True)):
        torch.save(dict(meta={key: config, 'iter': 3}, state_dict=tiny[0].state_dict()), tmp_path / 'x.pth')
        meta = CheckpointLoader.load_checkpoint(str(tmp_path / 'x.pth'))['meta']
        assert meta == ({key: config, 'iter': 3} if is_kept else {'iter': 3})
        trusted = CheckpointLoader.load_checkpoint(f'trusted://{tmp_path}/x.pth')['meta']
        assert trusted[key] == config
    assert not (tmp_path / 'ran').exists()
