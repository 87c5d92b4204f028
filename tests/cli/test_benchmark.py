"""The tool benchmark: what it writes, and what it refuses."""

import json
from functools import partial

import pytest
from helpers import REPO
from PIL import Image
from tiny import tiny_classifier, tiny_config

from repvgg_seg.benchmark import training_iterations

TOOL = REPO / 'tools' / 'benchmark.py'


def record_of(run, out, *args):
    """Run a benchmark on the CPU with one timed call a row, and read the record that it wrote to OUT.json."""
    timing = [] if args[0] == 'verify' else ['--rounds', 1, '--warmup', 1]
    status, _, err = run(*args, *timing, '--device', 'cpu', '--out', out)
    assert status == 0, err
    return json.loads(out.with_suffix('.json').read_text())


@pytest.fixture
def tiny(scenes, tmp_path):
    """A config file of a tiny segmentor."""
    path = tmp_path / 'tiny.py'
    tiny_config(scenes, tmp_path).dump(path)
    return path


def test_kernels(run, tmp_path):
    """Record and page are there, with the environment and the settings, in a folder that was made for them."""
    out = tmp_path / 'new' / 'kernels'
    record = record_of(run, out, 'kernels', '--channels', 8, '--size', 8, '--batch', 2)
    assert [row['name'] for row in record['rows']] == ['1x1', '3x3', '5x5', '7x7']
    assert [round(1e6 * row['params_m']) for row in record['rows']] == [64, 9 * 64, 25 * 64, 49 * 64]
    assert record['environment']['device']
    assert (record['title'], record['settings']['channels'], record['settings']['rounds']) == (
        'Benchmark: kernels',
        8,
        1,
    )
    page = out.with_suffix('.md').read_text()
    assert page.startswith('# Benchmark: kernels\n') and '| 7x7 ' in page and 'channels 8, ' in page
    assert {path.name for path in out.parent.iterdir()} == {'kernels.json', 'kernels.md'}


@pytest.mark.slow
def test_segmentors_with_a_plot(run, tmp_path, tiny):
    out = tmp_path / 'out'
    record = record_of(run, out, 'segmentors', tiny, '--sizes', '32x48', '--batch', 1, '--plot', '--memory', 'fused')
    assert (record['settings']['memory'], record['settings']['measure_anew']) == ('fused', False)
    assert [(row['name'], row['form'], row['size']) for row in record['rows']] == [
        ('tiny', form, '32x48') for form in ('training', 'fused', 'optimized')
    ]
    assert out.with_suffix('.svg').stat().st_size


@pytest.mark.slow
def test_networks_in_other_engines(run, tmp_path, tiny, scenes):
    """Without RepVGG blocks, a network comes by our rewrites and as mmseg computes it."""
    cfg = tiny_config(scenes, tmp_path)
    cfg.model.backbone = dict(
        type='ResNet', depth=18, base_channels=16, out_indices=(0, 1, 2, 3), norm_cfg=dict(type='BN')
    )
    cfg.dump(tmp_path / 'resnet.py')
    only = ('--sizes', '64x64', '--to', 'torch-export', '--forms', 'fused')
    rows = record_of(run, tmp_path / 'out', 'engines', tiny, tmp_path / 'resnet.py', *only)['rows']
    assert [(row['name'], row['form']) for row in rows] == [
        ('tiny', 'fused'),
        ('tiny', 'torch-export-fp32'),
        ('resnet', 'fused'),
        ('resnet', 'torch-export-fp32'),
        ('resnet', 'torch-export-fp32, as mmseg'),
    ]
    assert all('times_fused' in row for row in rows)
    assert all(row['relative_error'] < 1e-4 for row in rows if row['form'] != 'fused')


@pytest.mark.slow
def test_images_of_four_channels(run, tmp_path, scenes):
    """Every benchmark of a config takes the channels from its backbone."""
    path = tmp_path / 'four.py'
    cfg = tiny_config(scenes, tmp_path, model__backbone__in_channels=4)
    cfg.model.data_preprocessor.update(mean=[100.0] * 4, std=[50.0] * 4, bgr_to_rgb=False)
    cfg.dump(path)
    one = ('--sizes', '32x48', '--batch', 1)
    assert len(record_of(run, tmp_path / 'out', 'segmentors', path, *one)['rows']) == 3
    assert len(record_of(run, tmp_path / 'out', 'training', path, '--sizes', '32x48', '--batch', 2)['rows']) == 3
    rows = record_of(run, tmp_path / 'out', 'verify', path, '--sizes', '32x48', '--batches', 1, '--dtypes', 'fp32')[
        'rows'
    ]
    assert rows[0]['relative_error'] < 1e-5


@pytest.mark.slow
def test_rehearsal_beside_an_iteration(run, tmp_path, tiny):
    """Both rows of every config, with what was changed in it; the training writes nothing and goes no further."""
    path = tmp_path / 'again.py'
    path.write_text(tiny.read_text())
    options = ('--cfg-options', 'train_cfg.max_iters=1')
    rows = record_of(run, tmp_path / 'out', 'rehearsal', tiny, path, *options)['rows']
    assert [(row['name'], row['form']) for row in rows] == [
        (name, form) for name in ('tiny', 'again') for form in ('iteration', 'rehearsal')
    ]
    assert all(row['ms'] > 0 and row['peak_activations_mib'] > 0 for row in rows)
    assert not list(tmp_path.rglob('*.pth'))


@pytest.mark.slow
def test_branches(run, tmp_path):
    record = record_of(run, tmp_path / 'out', 'branches', 'A0', '--sizes', '32x32', '--batch', 1)
    forms = [row['form'] for row in record['rows']]
    assert sorted(forms) == ['3x3', '3x3 + 1x1', '3x3 + 1x1 + identity', '3x3 + identity']
    parameters = dict(zip(forms, (row['params_m'] for row in record['rows']), strict=True))
    assert (
        parameters['3x3'] < parameters['3x3 + identity'] < parameters['3x3 + 1x1'] < parameters['3x3 + 1x1 + identity']
    )


@pytest.mark.slow
def test_verify(run, tmp_path, tiny):
    record = record_of(
        run, tmp_path / 'out', 'verify', tiny, '--sizes', '32x48', '64x64', '--batches', 1, 2, '--dtypes', 'fp32'
    )
    assert [(row['size'], row['batch']) for row in record['rows']] == [
        ('32x48', 1), ('32x48', 2), ('64x64', 1), ('64x64', 2)
    ]  # fmt: skip
    for row in record['rows']:
        assert 0 < row['relative_error'] < 1e-4, row
    assert 'rounds' not in record['settings']


@pytest.mark.slow
def test_optimizing_once_more(run, tmp_path, tiny):
    record = record_of(run, tmp_path / 'out', 'optimizing', tiny)
    assert [row['form'] for row in record['rows']] == ['copied', 'fused', 'optimized, choices remembered']
    assert record['settings']['memory'] == 'free'


@pytest.mark.slow
def test_training_in_turn_with_a_peer(run, tmp_path, tiny):
    peer = tmp_path / 'peer.py'
    peer.write_text(
        'from torch import nn\n'
        'class Block(nn.Conv2d):\n'
        '    def __init__(self, *args, norm_cfg, **kwargs):\n'
        '        super().__init__(*args, 3, **kwargs)\n'
    )
    rows = record_of(
        run, tmp_path / 'out', 'training', tiny, '--sizes', '32x48', '--batch', 2, '--peer', f'{peer}:Block'
    )['rows']
    assert [row['form'] for row in rows] == [
        'ours, channels first', 'ours, channels last', 'peer, channels first', 'peer, channels last',
        'ours, 1x1 branches computed again',
    ]  # fmt: skip
    assert rows[2]['weights_mib'] < rows[0]['weights_mib']


@pytest.mark.slow
def test_training_in_turn_with_the_head_of_mmseg(run, tmp_path, tiny, photos):
    """The same weights, and more memory: the pyramid is up-sampled and concatenated. A classifier has no such head."""
    args = ('training', tiny, '--sizes', '64x128', '32x48', '--batch', 2)
    rows = record_of(run, tmp_path / 'out', *args, '--mmseg-head')['rows']
    assert [row['form'].split(',')[0] for row in rows] == ['ours', 'ours', 'peer', 'peer', 'ours'] * 2
    assert [row['size'] for row in rows] == ['64x128'] * 5 + ['32x48'] * 5
    assert rows[2]['times_peer'] == rows[7]['times_peer'] == 1 and rows[0]['times_peer'] > 0
    assert rows[0]['peak_activations_mib'] > rows[5]['peak_activations_mib']
    assert rows[2]['weights_mib'] == rows[0]['weights_mib']
    assert rows[2]['peak_activations_mib'] > rows[0]['peak_activations_mib']
    tiny_classifier(photos, tmp_path).dump(tmp_path / 'classifier.py')
    status, _, err = run('training', tmp_path / 'classifier.py', '--mmseg-head', '--device', 'cpu')
    assert status == 2 and 'classifier has no FoldedPSPHead' in err


@pytest.mark.slow
def test_training_part_by_part(run, tmp_path, tiny, monkeypatch):
    """Each row has the part that it names: mmseg's loss and heads hold more, blocks that are computed again less."""
    compile_backbone = training_iterations.compile_backbone
    monkeypatch.setattr(training_iterations, 'compile_backbone', partial(compile_backbone, backend='eager'))
    rows = record_of(run, tmp_path / 'out', 'training', tiny, '--sizes', '64x128', '--batch', 2, '--parts')['rows']
    peaks = {row['form']: row['peak_activations_mib'] for row in rows}
    assert len(peaks) == len(rows) == 7 and 'ours, compiled' in peaks
    ours = peaks['ours, channels first']
    assert (
        peaks["ours with mmseg's heads"]
        > peaks["ours with mmseg's loss"]
        > ours
        > peaks['ours, 1x1 branches computed again']
        > peaks['ours, blocks computed again']
    )


@pytest.mark.slow
def test_training_of_a_classifier_in_half_precision(run, tmp_path, photos):
    config = tmp_path / 'classifier.py'
    tiny_classifier(photos, tmp_path).dump(config)
    record = record_of(run, tmp_path / 'out', 'training', config, '--sizes', '32x48', '--batch', 2, '--dtype', 'bf16')
    assert [row['name'] for row in record['rows']] == ['classifier'] * 3
    assert record['settings']['dtype'] == 'bf16'


@pytest.mark.slow
def test_reading_images_both_ways(run, tmp_path, photos):
    record = record_of(run, tmp_path / 'out', 'loading', photos / 'val', '--batch', 2)
    assert [(row['name'], row['form']) for row in record['rows']] == [
        ('9 images', 'plain PIL'),
        ('9 images', 'pipeline'),
        ('AutoAugment of 2', 'one by one'),
        ('AutoAugment of 2', 'by sub-policy'),
    ]
    assert str(photos) not in json.dumps(record)


def test_baselines_whose_library_is_not_there_are_left_out(run, monkeypatch, tmp_path):
    monkeypatch.setattr('repvgg_seg.benchmark.baselines.find_spec', lambda name: None)
    monkeypatch.setattr(
        'repvgg_seg.benchmark.paper_tables.CLASSIFIERS', {'ResNet-18': (1, 1), 'EfficientNet-B0': (1, 1)}
    )
    _, _, err = run(
        'classifiers', '--sizes', '32x32', '--batch', 1, '--forms', 'fused', '--rounds', 1, '--warmup', 1,
        '--device', 'cpu', '--out', tmp_path / 'c'
    )  # fmt: skip
    assert 'left out: EfficientNet-B0, which comes with pip install transformers' in err
    assert [row['name'] for row in json.loads((tmp_path / 'c.json').read_text())['rows']] == ['ResNet-18']


def test_a_misspelt_config(run, tmp_path, tiny):
    tiny.write_text(tiny.read_text().replace('channels=16', 'chanels=16'))
    status, _, err = run('segmentors', tiny, '--device', 'cpu', '--out', tmp_path / 'out')
    assert status == 2 and 'model.decode_head.chanels: FoldedPSPHead takes no argument of this name' in err


@pytest.mark.slow
def test_prediction_of_what_a_user_has(tmp_path, monkeypatch):
    """The cases are made, and a difference is told; the command itself is replaced by one that writes what it is told to."""
    from repvgg_seg.benchmark import prediction

    folder = tmp_path / 'frames'
    folder.mkdir()
    for number in range(20):
        Image.new('RGB', (64, 48), (number, 2 * number, 0)).save(folder / f'{number}.png')
    command = tmp_path / 'command.py'
    command.write_text(
        'import json, sys; from pathlib import Path; out = Path(sys.argv[sys.argv.index("--out-dir") + 1]); out.mkdir()\n'
        'record = dict(form="fused", images=1, seconds=2, in_tiles=0, broken=[])\n'
        '(out / "predictions.json").write_text(json.dumps(record)); [(out / str(i)).touch() for i in range(3)]'
    )
    popen = prediction.subprocess.Popen
    monkeypatch.setattr(
        prediction.subprocess, 'Popen', lambda words, **kwargs: popen([words[0], str(command), *words[4:]], **kwargs)
    )
    *_, rows = prediction.measure_prediction(str(folder), [], 1, 99)
    assert [row['name'] for row in rows][2:4] == ['a video of 1 seconds', '3 broken files among 20']
    assert rows[0]['as_said'] == rows[-1]['as_said'] == 'yes' and rows[0]['examples_per_s'] == 0.5
    assert rows[3]['as_said'] == '(status, images, broken) are (0, 1, 0), 4 files in place of 52'
