import json

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.reports.generated_tables import BEGIN, END, find_project, with_tables

README = f'before\n{BEGIN}\nold\n{END}\nafter\n'


@pytest.fixture
def project(tmp_path):
    (tmp_path / 'results' / 'camvid').mkdir(parents=True)
    (tmp_path / 'README.md').write_text(README)
    return tmp_path


def write(path, **record):
    path.write_text(json.dumps(dict(record, environment=dict(device='CPU'))))


def cells(text):
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if '|' in line]


def test_scores_benchmarks_and_nothing_else(project):
    results = project / 'results'
    write(
        results / 'camvid' / 'run.json',
        config='configs/a.py',
        form='fused',
        images=3,
        metrics=dict(mIoU=50.125, mAcc=60, aAcc=70.5),
    )
    write(results / 'benchmark_kernels_cpu.json', rows=[dict(name='3x3', ms=1.0)], settings={})
    write(results / 'benchmark_optimized_cpu.json', rows=[dict(name='net', ms=2.0)], settings=dict(batch=1))
    (results / 'classes.json').write_text('["no record"]')
    (results / 'broken.json').write_text('{')
    text = with_tables(README, 'README.md', project)
    assert text.startswith(f'before\n{BEGIN}\n\n### Segmentation\n') and text.endswith(f'\n\n{END}\nafter\n')
    assert 'old' not in text and '### Classification' not in text
    table = cells(text)
    assert table[0] == ['record', 'config', 'form', 'images', 'mIoU', 'mAcc', 'aAcc', 'scored on']
    assert table[2] == ['[run](results/camvid/run.json)', 'a', 'fused', '3', '50.12', '60.00', '70.50', 'CPU']
    assert table[-1] == ['net', '2.0'] and '\n\nbatch 1\n\ndevice CPU\n\n' in text
    assert 'More benchmarks: [benchmark_kernels_cpu](results/benchmark_kernels_cpu.md).' in text
    assert with_tables(text, 'README.md', project) == text


def test_the_project_is_found_from_a_folder_in_it(project):
    assert find_project(project / 'results' / 'camvid') == project


def test_a_page_without_a_place_for_tables(project):
    with pytest.raises(InputError, match='docs/engines.md has no place for its tables'):
        with_tables('text', 'docs/engines.md', project)


def test_no_project(project):
    (project / 'README.md').write_text('of another project')
    with pytest.raises(InputError, match='neither .* has results/ and a README.md .*: change into a clone'):
        find_project(project / 'results')


def test_engines(project):
    results = project / 'results'
    (results / 'checks' / 'engines').mkdir(parents=True)
    rows = [
        dict(name='rep', form='fused', ms=30.0, ratio=2.0, times_fused=1.0),
        dict(name='rep', form='optimized', ms=20.0, ratio=3.0, times_fused=1.5),
        dict(name='rep', form='ncnn-fp32', ms=10.0, ratio=6.0, times_fused=3.0, paper_examples_per_s=9.0, engine={}),
        dict(name='res', form='onnx-fp32, as mmseg', ms=60.0, ratio=1.0, engine={}),
        dict(name='res', form='ncnn-fp32, as mmseg', ms=48.0, ratio=1.25, paper_examples_per_s=6.0, engine={}),
        dict(name='res', form='optimized', ms=40.0, ratio=1.5),
    ]
    write(results / 'benchmark_engines_cpu.json', rows=rows, settings=dict(baseline='res:onnx-fp32, as mmseg:64x64'))
    more = [
        dict(name='res', form='openvino-fp32, as mmseg', times_fused=1.25, relative_error=2.4e-6, engine={}),
        dict(name='rep', form='ncnn-fp32', times_fused=7.0, engine={}),
    ]
    write(results / 'benchmark_engines_openvino_cpu.json', rows=more)
    rows = [dict(name='rep_int8', form=form, ms=1.0, ratio=2.5) for form in ('onnx-int8', 'openvino-int8')]
    write(results / 'benchmark_int8_rep_cpu.json', rows=rows, settings={})
    write(results / 'checks' / 'engines' / 'rep_int8_openvino-int8.json', metrics=dict(mIoU=50.126))
    text = with_tables(README, 'docs/engines.md', project)
    assert '(also from [benchmark_engines_openvino_cpu](../results/benchmark_engines_openvino_cpu.md))' in text
    table = cells(text)
    assert table[2:5] == [
        ['rep', 'ncnn-fp32', '10', '4.80', '1.50', '3.00'],
        ['res', 'ncnn-fp32, as mmseg', '48', '1.00', '1.00', '1.00'],
        ['res', 'optimized (PyTorch)', '40', '1.20', '', '1.00'],
    ]
    link = '[benchmark_int8_rep_cpu](../results/benchmark_int8_rep_cpu.md)'
    assert table[5] == ['config', 'optimized (PyTorch)', 'ncnn-fp32', 'onnx-fp32', 'openvino-fp32']
    assert table[7:10] == [
        ['rep', '1.50', '3.00', '', ''],
        ['res, as mmseg', '', '', '', '1.25 (2e-06)'],
        ['res', '', '', '', ''],
    ]
    assert table[12:] == [
        ['rep_int8', 'onnx-int8', '', '2.50', link],
        ['rep_int8', 'openvino-int8', '50.13', '2.50', link],
    ]


def test_what_architectures_cost(project):
    row = dict(name='RepVGG-A0', params_m=8.309, flops_b=1.36, examples_per_s=66.05, top1=72.41)
    rows = [dict(row, form='fused'), dict(row, form='training', params_m=9.1, examples_per_s=30.0)]
    write(project / 'results' / 'benchmark_architectures_cpu.json', rows=rows, settings=dict(batch=1))
    text = with_tables(README, 'docs/architectures.md', project)
    published = 'official 72.41, mmpretrain 72.37, timm 72.43'
    assert cells(text)[2] == ['A0', '9.10', '8.31', '1.4', '30.0', '66.0', '72.41', published] and 'batch 1' in text


def test_the_classes_of_the_network_in_the_package(project):
    write(
        project / 'results' / 'camvid' / 'pspnet_repvgg_small_camvid.json',
        config='c.py',
        form='fused',
        images=233,
        metrics=dict(mIoU=50.125, mAcc=60, aAcc=70.5),
        per_class=dict(Sky=dict(IoU=90.0, Acc=91.26), Pole=dict(IoU=10.0, Acc=11.0)),
    )
    text = with_tables(README, 'docs/model_card.md', project)
    assert 'mIoU 50.12, mAcc 60.00, aAcc 70.50 on 233 images, fused, scored on CPU' in text
    assert cells(text)[2:] == [['Sky', '90.00', '91.26'], ['Pole', '10.00', '11.00']]


def test_ablations(project):
    folder = project / 'results' / 'ablations' / 'net'
    (folder / 'runs').mkdir(parents=True)
    row = dict(name='plain', seeds=2, mean=41.0, spread=1.414, scores={'0': 40.0, '1': 42.0})
    write(folder / 'ablation.json', title='Ablation: net', metric='top1', rows=[row], settings=dict(config='net.py'))
    write(
        folder / 'runs' / 'plain_seed_0.json', config='net.py', form='fused', images=3, metrics=dict(top1=40, top5=60)
    )
    text = with_tables(README, 'docs/ablations.md', project)
    assert cells(text)[0] == ['block', 'seeds', 'top1, mean', 'standard deviation']
    assert cells(text)[2] == ['plain', '2', '41.00', '1.41'] and 'plain: 40.00 (seed 0), 42.00 (seed 1)' in text
    assert '### net\n' in text and '(../results/ablations/net/ablation.svg)' in text
    assert 'plain_seed_0' not in with_tables(README, 'README.md', project), 'the runs stand in docs/ablations.md'


def test_scores_of_pruned_networks_beside_their_speed(project):
    folder = project / 'results' / 'pruning'
    folder.mkdir()
    for name, config, score in (
        ('a_tuned', 'w/net_pruned.py', 51.0),
        ('b_pruned', 'w/net_pruned.py', 20.5),
        ('whole', 'net', 53.2),
    ):
        write(folder / f'{name}.json', config=config, form='fused', images=3, metrics=dict(mIoU=score))
    speeds = dict(net=(4.0, 10.0), net_pruned=(8.0, 15.0))
    rows = [
        dict(name=name, form=form, examples_per_s=speed, params_m=4.0 if name == 'net' else 2.0)
        for name, both in speeds.items()
        for form, speed in zip(('fused', 'optimized'), both, strict=True)
    ]
    write(folder / 'benchmark_pruned_cpu.json', rows=rows, settings={})
    table = cells(with_tables(README, 'docs/pruning.md', project))
    assert table[0][3:] == ['fused, images/s', 'speed / whole', 'optimized, images/s', 'speed / whole, optimized']
    assert table[2] == ['[whole](../results/pruning/whole.json)', '4.00', '53.20', '4.00', '1.00', '10.00', '1.00']
    assert [row[1:] for row in table[3:]] == [
        ['2.00', '51.00', '8.00', '2.00', '15.00', '1.50'],
        ['2.00', '20.50', '8.00', '2.00', '15.00', '1.50'],
    ]
