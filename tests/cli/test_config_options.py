import argparse

import pytest

from repvgg_seg.cli import config_options
from repvgg_seg.cli.config_options import add_config_options, add_launcher_options, parse_run_args


def parsed(*arguments):
    parser = argparse.ArgumentParser()
    add_config_options(parser)
    return parser.parse_args(['--cfg-options', *arguments]).cfg_options


def test_texts_are_kept_as_they_were_typed():
    assert parsed('a.b=/tmp/my data', 'c=1,2', 'd=x=y', '--cfg-options', 'e=') == {
        'a.b': '/tmp/my data',
        'c': '1,2',
        'd': 'x=y',
        'e': '',
    }


def test_the_last_of_two_is_used_and_said(monkeypatch):
    said = []
    monkeypatch.setattr(config_options, 'print_log', lambda message, *_: said.append(message))
    assert parsed('a=1', 'b=2', 'a=3', 'b=2') == dict(a='3', b='2')
    assert said == ['--cfg-options a is given twice: 3 is used']


@pytest.mark.parametrize('arguments', [['a'], ['a', '=', '1'], ['=1'], ['a=1', 'config.py']])
def test_options_without_key_or_value(arguments, capsys):
    with pytest.raises(SystemExit):
        parsed(*arguments)
    assert 'give KEY=VALUE' in capsys.readouterr().err


def test_names_of_options_with_underscores(monkeypatch):
    parser = argparse.ArgumentParser()
    parser.add_argument('file')
    parser.add_argument('--show-dir')
    add_config_options(parser)
    add_launcher_options(parser)
    words = ['a_b.py', '--show_dir=c_d', '--local_rank', '1', '--cfg_options', 'e_f=--g_h']
    monkeypatch.setattr('sys.argv', ['tool', *words])
    monkeypatch.setenv('LOCAL_RANK', '0')
    args = parse_run_args(parser)
    assert (args.file, args.show_dir, args.local_rank, args.cfg_options) == ('a_b.py', 'c_d', 1, {'e_f': '--g_h'})


def test_options_between_config_and_checkpoint(monkeypatch):
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('--out')
    add_launcher_options(parser)
    monkeypatch.setattr('sys.argv', ['test.py', 'c.py', '--out', 'folder', 'x.pth'])
    args = parse_run_args(parser)
    assert (args.config, args.checkpoint, args.out) == ('c.py', 'x.pth', 'folder')
