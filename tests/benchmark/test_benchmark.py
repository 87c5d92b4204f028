"""Counts against the paper, memory against what is allocated, order of timing, and the tool."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from helpers import randomise_bn, relative_error
from mmengine.config import Config
from torch import nn

from repvgg_seg.benchmark.baselines import is_at_hand
from repvgg_seg.benchmark.data_loading import loading_subjects
from repvgg_seg.benchmark.run import Subject, measure_all, plot, table
from repvgg_seg.benchmark.subjects import build_classifier, build_segmentor, count_form, in_form, load_peer
from repvgg_seg.benchmark.verify import compare, parse_sizes
from repvgg_seg.errors import InputError
from repvgg_seg.optimize.options import Options
from repvgg_seg.reports.environment import environment

CPU = torch.device('cpu')


def _skip_without_its_library(name):
    if not is_at_hand(name):
        pytest.skip(f'{name} comes from the library transformers, which is not installed')


@pytest.mark.parametrize(
    'name, params, flops, wino_muls',
    [  # paper, Tables 4 and 5; it truncates parameters
        ('RepVGG-A0', 8.30, 1.4, 0.7),
        ('RepVGG-B1g2', 41.36, 8.8, 4.6),
        ('RepVGG-B2g4', 55.77, 11.3, 6.0),
        ('ResNet-18', 11.68, 1.8, 1.0),
        ('VGG-16', 138.35, 15.5, 6.9),
        ('RegNetX-3.2GF', 15.26, 3.2, None),  # the paper's 2.9 and 10.9 Wino MULs follow another count for groups
        ('RegNetX-12GF', 46.05, 12.1, None),
        ('EfficientNet-B0', 5.26, 0.4, None),
    ],
)
def test_counts_are_those_of_the_paper(name, params, flops, wino_muls):
    _skip_without_its_library(name)
    with torch.device('meta'):
        counted = count_form(build_classifier(name), 'fused', (128, 3, 224, 224))
    assert int(counted.params / 1e4) / 100 == pytest.approx(params)
    assert round(counted.flops / 1e9, 1) == flops
    if wino_muls is not None:
        assert counted.wino_muls / 1e9 == pytest.approx(wino_muls, abs=0.06)


def test_folding_the_pyramid_lowers_the_count():
    cfg = Config.fromfile('configs/pspnet_repvgg_a0_80k_512x1024.py')
    with torch.device('meta'):
        model = build_segmentor(cfg)
    fused, optimized = (count_form(model, form, (1, 3, 512, 512)) for form in ('fused', 'optimized'))
    # Four levels of 512 channels less in a 3x3 conv of 512 over 64x64 positions; what comes instead is small.
    saved = 4 * 512 * 512 * 9 * 64 * 64
    assert 0.98 * saved < fused.flops - optimized.flops < saved


def test_rows_say_how_much_faster(monkeypatch):
    monkeypatch.setattr(
        'repvgg_seg.benchmark.run.interleaved',
        lambda *args: {'m:fused:4x8': [2.0, 4.0, 6.0], 'm:optimized:4x8': [1.0, 1.0, 2.0]},
    )
    subjects = [Subject('m', form, lambda: None, 2, size='4x8') for form in ('fused', 'optimized')]
    fused, optimized = measure_all(subjects, CPU, 3, 1)
    assert (fused['ms'], fused['ms_quartiles'], fused['examples_per_s']) == (4000, [3000, 5000], 0.5)
    assert optimized['ratio'] == optimized['times_fused'] == 3  # of 2, 4 and 3
    assert optimized['ns_per_pixel'] == pytest.approx(1e9 / 64)
    with pytest.raises(InputError, match="--baseline must be one of m:fused:4x8, m:optimized:4x8, got 'x'"):
        measure_all(subjects, CPU, 3, 1, 'x')


def test_table_and_plot(tmp_path):
    rows = [dict(name='a', form='fused', examples_per_s=2.0, miou=70.0), dict(name='resnet', form='fused', ms=3.0)]
    assert table(rows).splitlines() == [
        '| model | form | examples/s | ms | mIoU, paper |',
        '| --- | --- | --- | --- | --- |',
        '| a | fused | 2.00 |  | 70.00 |',
        '| resnet | fused |  | 3.0 |  |',
    ]
    plot(str(tmp_path / 'figure'), rows, 'miou', 'mIoU')
    assert (tmp_path / 'figure.svg').stat().st_size


def test_environment_names_device_and_versions():
    facts = environment(CPU)
    assert facts['torch'] == torch.__version__ and facts['threads'] == torch.get_num_threads() and facts['device']


def run_tool(monkeypatch, *args):
    spec = importlib.util.spec_from_file_location('benchmark', Path(__file__).parents[2] / 'tools' / 'benchmark.py')
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    monkeypatch.setattr(sys, 'argv', ['benchmark.py', *map(str, args)])
    benchmark.main()


def test_tool_writes_what_it_measured(monkeypatch, tmp_path):
    out = tmp_path / 'new' / 'kernels'
    run_tool(
        monkeypatch,
        'kernels',
        '--channels',
        8,
        '--size',
        8,
        '--batch',
        2,
        '--rounds',
        2,
        '--device',
        'cpu',
        '--out',
        out,
    )
    record = json.loads(out.with_suffix('.json').read_text())
    assert [row['name'] for row in record['rows']] == ['1x1', '3x3', '5x5', '7x7']
    assert [round(1e6 * row['params_m']) for row in record['rows']] == [64, 9 * 64, 25 * 64, 49 * 64]
    assert record['environment']['device'] and record['settings']['rounds'] == 2
    assert '| 7x7 | conv |' in out.with_suffix('.md').read_text()


def test_tool_takes_turns_with_a_peer(monkeypatch, tmp_path):
    peer = tmp_path / 'peer.py'
    peer.write_text(
        'from torch import nn\n'
        'class Block(nn.Conv2d):\n'
        '    def __init__(self, *args, norm_cfg, **kwargs):\n'
        '        super().__init__(*args, 3, **kwargs)\n'
    )
    out = tmp_path / 'training'
    run_tool(
        monkeypatch, 'training', 'configs/pspnet_repvgg_a0_80k_512x1024.py', '--sizes', '32x48', '--batch', 2, '--rounds', 1,
        '--warmup', 1, '--device', 'cpu', '--peer', f'{peer}:Block', '--out', out
    )  # fmt: skip
    rows = json.loads(out.with_suffix('.json').read_text())['rows']
    assert [row['form'] for row in rows] == [
        'our block, channels first', 'our block, channels last', 'peer, channels first', 'peer, channels last'
    ]  # fmt: skip
    assert rows[2]['weights_mib'] < rows[0]['weights_mib']


def test_training_of_a_classifier_in_half_precision(monkeypatch, tmp_path):
    out = tmp_path / 'training'
    run_tool(
        monkeypatch, 'training', 'configs/imagenet/repvgg_a0_120e.py', '--sizes', '32x48', '--batch', 2, '--rounds', 1,
        '--warmup', 1, '--device', 'cpu', '--dtype', 'bf16', '--out', out
    )  # fmt: skip
    record = json.loads(out.with_suffix('.json').read_text())
    assert [row['name'] for row in record['rows']] == ['repvgg_a0_120e'] * 2
    assert record['settings']['dtype'] == 'bf16'


def test_reading_images_both_ways(monkeypatch, tmp_path, photos):
    out = tmp_path / 'loading'
    run_tool(
        monkeypatch, 'loading', photos / 'val', '--batch', 2, '--rounds', 2, '--warmup', 1, '--device', 'cpu', '--out', out
    )  # fmt: skip
    record = json.loads(out.with_suffix('.json').read_text())
    assert [(row['name'], row['form']) for row in record['rows']] == [
        ('9 images', 'plain PIL'),
        ('9 images', 'pipeline'),
        ('AutoAugment of 2', 'one by one'),
        ('AutoAugment of 2', 'by sub-policy'),
    ]
    assert str(photos) not in out.with_suffix('.json').read_text()


def test_both_ways_read_the_same_pictures(photos):
    """The crops of both, drawn from the same random numbers, differ by their resizing alone."""
    cfg = Config.fromfile('configs/imagenet/repvgg_a0_120e.py')
    cfg.train_pipeline[0].size = 48
    plain, configured = loading_subjects(cfg, str(photos))
    (images, others) = (subject.call() for subject in (plain, configured))
    assert len(images) == 27
    for image, other in zip(images, others, strict=True):
        assert image.shape == other.shape == (3, 48, 48)
        assert (image.float().mean((1, 2)) - other.float().mean((1, 2))).abs().max() < 10


@pytest.mark.parametrize('name', ['ResNet-18', 'RegNetX-3.2GF', 'EfficientNet-B0'])
def test_baselines_are_folded(name):
    """Every BN gone, the logits the same: the convs that were paired belong together."""
    _skip_without_its_library(name)
    model = randomise_bn(build_classifier(name))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # of one sign, or the signal dies in so many layers
            module.weight.data.abs_().add_(0.5)
            module.bias.data.mul_(0.1)
    x = torch.rand(1, 3, 64, 64)
    fused = in_form(model, 'fused', Options((1, 3, 64, 64)))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    assert relative_error(fused(x), model(x)) < 1e-4


def test_baselines_whose_library_is_not_there(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr('repvgg_seg.benchmark.baselines.find_spec', lambda name: None)
    with pytest.raises(InputError, match='RegNetX-12GF comes from the library transformers, .* pip install'):
        build_classifier('RegNetX-12GF')
    monkeypatch.setattr(
        'repvgg_seg.benchmark.paper_tables.CLASSIFIERS', {'ResNet-18': (1, 1), 'EfficientNet-B0': (1, 1)}
    )
    run_tool(
        monkeypatch, 'classifiers', '--sizes', '32x32', '--batch', 1, '--forms', 'fused', '--rounds', 1, '--warmup', 1,
        '--device', 'cpu', '--out', tmp_path / 'c'
    )  # fmt: skip
    assert 'left out: EfficientNet-B0' in capsys.readouterr().err
    assert [row['name'] for row in json.loads((tmp_path / 'c.json').read_text())['rows']] == ['ResNet-18']


def test_peer_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match='--peer must be FILE:CLASS'):
        load_peer(str(tmp_path / 'none.py:Block'))
    (tmp_path / 'some.py').write_text('')
    with pytest.raises(InputError, match="has no class 'Block'"):
        load_peer(str(tmp_path / 'some.py:Block'))


@pytest.mark.parametrize(
    'args, message',
    [
        (['segmentors', 'configs/none.py'], 'no config configs/none.py'),
        (['segmentors', '--sizes', '512'], "--sizes must look like 512x1024, got '512'"),
        (['segmentors', '--batch', '0'], '--batch must be positive, got 0'),
        (['segmentors', '--checkpoint', 'x.pth'], '--checkpoint is for one config'),
        (['loading', 'tests'], 'no .*JPEG or .*jpg below tests'),
        (['loading', 'tests', '--config', 'configs/pspnet_repvgg_b2.py'], 'no .*JPEG'),
        (['classifiers', 'EfficientNet-B9'], "model must be RepVGG-ARCH or one of .* got 'EfficientNet-B9'"),
        (['kernels', '--device', 'tpu'], '--device must be cpu'),
        (['kernels', '--device', 'mps'], '--device mps is not here'),
    ],
)
def test_wrong_arguments(args, message, monkeypatch, tmp_path, capsys):
    device = [] if '--device' in args else ['--device', 'cpu']
    with pytest.raises(SystemExit) as stopped:
        run_tool(monkeypatch, *args, *device, '--out', tmp_path / 'out')
    assert stopped.value.code == 2
    assert re.search(f'error: {message}', capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


@torch.inference_mode()
def test_verify_sees_what_differs():
    model = nn.Conv2d(3, 4, 1)
    other = nn.Conv2d(3, 4, 1)
    other.load_state_dict(model.state_dict())
    other.bias += 1
    image = torch.rand(1, 3, 8, 8)
    found = compare(model, dict(same=model, other=other), image)
    assert found['same'] == dict(relative_error=0, argmax_equal=1)
    assert found['other']['relative_error'] == pytest.approx(1 / model(image).abs().max().item(), rel=1e-4)
    assert found['other']['argmax_equal'] == 1  # every class by the same
    assert parse_sizes(['512x1024']) == [(512, 1024)]
