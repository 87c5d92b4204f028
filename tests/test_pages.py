"""README.md and docs/: their commands and Python blocks work, and the messages they explain are ours."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from helpers import REPO
from mmengine.config import Config, ConfigDict
from mmseg.registry import MODELS
from pages import PAGES, blocks, commands

import repvgg_seg
from repvgg_seg.training.config import load_config

MMSEG = Path(import_module('mmseg').__file__).parent / '.mim' / 'configs' / 'pspnet'


def ids(page):
    return page.name


def parsed(monkeypatch, tool, words):
    """The arguments of a command as its tool reads them."""
    monkeypatch.setattr(sys, 'argv', [tool, *words])
    try:
        return import_module(f'repvgg_seg.cli.{tool}').parse_args()
    except SystemExit:
        pytest.fail(f'{tool} does not take {words}')


def tool_and_words(command):
    """The module of repvgg_seg/cli/ that a command starts, and what it is given; None for other programs."""
    program, *words = command
    if program == 'python' and words[0].startswith('tools/'):
        return Path(words[0]).stem, words[1:]
    if program == 'repvgg-seg':
        return words[0].replace('-', '_'), words[1:]
    if program.endswith('.sh'):
        tool = program.removesuffix('.sh').split('_')[1]
        if 'slurm' in program:
            return tool, words[2:]
        end = 2 if tool == 'test' else 1
        return tool, words[:end] + words[end + 1 :]  # without the number of GPUs
    return None


@pytest.mark.parametrize('page', PAGES, ids=ids)
def test_every_command_is_one_that_its_tool_takes(page, tmp_path, monkeypatch, capsys):
    targets = re.findall(r'^([\w-]+):', (REPO / 'Makefile').read_text(), re.MULTILINE)
    for block in blocks(page, 'sh'):
        for command in commands('cp() { :; }\n' + block, tmp_path):
            started = tool_and_words(command)
            if command[0] == 'make':
                assert command[1] in targets, command
            elif command[:2] == ['python', '-c']:
                compile(command[2], str(page), 'exec')
            elif started:
                args = parsed(monkeypatch, *started)
                config = getattr(args, 'config', None)
                if config and (REPO / config).is_file():
                    load_config(str(REPO / config), getattr(args, 'cfg_options', None))


def texts_of(node):
    """Every text of a syntax tree, with … for what is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield ''.join(part.value if isinstance(part, ast.Constant) else '…' for part in node.values)
    for child in ast.iter_child_nodes(node):
        yield from texts_of(child)


def test_the_messages_that_troubleshooting_explains_are_ours():
    sources = [path.read_text(encoding='utf-8') for path in sorted((REPO / 'repvgg_seg').rglob('*.py'))]
    ours = [text for source in sources for text in texts_of(ast.parse(source))]
    page = (REPO / 'docs' / 'troubleshooting.md').read_text(encoding='utf-8')
    messages = re.findall(r'``(.+?)``', page)
    assert len(messages) > 20
    for message in messages:
        parts = [part.strip() for part in message.split('…')]
        pattern = re.compile('.*'.join(re.escape(part) for part in parts), re.DOTALL)
        assert any(pattern.search(text) for text in ours), f'no text of the package is {message!r}'


def fragments(page):
    """The Python blocks of a page that are parts of a config: assignments alone."""
    for block in blocks(page, 'python'):
        if all(isinstance(node, ast.Assign) for node in ast.parse(block.replace('{{', '"').replace('}}', '"')).body):
            yield block


def beside_mmseg(block):
    """Whether a config stands beside those of mmseg, from which it inherits."""
    return "_base_ = './pspnet" in block


def test_the_five_steps_from_a_config_of_mmseg(tmp_path):
    """The file of the page is read, and its model is built, fused, and computes."""
    (block,) = filter(beside_mmseg, fragments(REPO / 'docs' / 'backbone.md'))
    file = tmp_path / 'my_pspnet.py'
    file.write_text(block.replace("'./", f"'{MMSEG}/"))
    check_that_it_computes(load_config(str(file)))


def test_the_part_of_a_config_in_the_readme():
    cfg = Config.fromfile(MMSEG / 'pspnet_r50-d8_4xb2-80k_cityscapes-512x1024.py')
    names = dict(norm_cfg=cfg.norm_cfg)
    (block,) = (block for block in fragments(REPO / 'README.md') if '_base_' not in block)
    exec(block, names)
    cfg.merge_from_dict(dict(model=names['model']))
    check_that_it_computes(cfg)


def check_that_it_computes(cfg):
    cfg.model.backbone.pop('init_cfg', None)
    with torch.device('meta'):
        model = MODELS.build(ConfigDict(cfg.model, data_preprocessor=None))
        fused = repvgg_seg.reparameterize_model(model.eval())
        assert fused(torch.empty(1, 3, 64, 128)).shape == (1, 19, 8, 16)
    assert not any(isinstance(part, torch.nn.SyncBatchNorm) for part in fused.backbone.modules())


@pytest.mark.parametrize('page', PAGES, ids=ids)
def test_configs_that_inherit_from_ours(page, tmp_path):
    for number, block in enumerate(fragments(page)):
        if '_base_' not in block or beside_mmseg(block):
            continue
        file = tmp_path / f'inherits_{number}.py'
        file.write_text(block)
        assert 'model' in load_config(str(file))
