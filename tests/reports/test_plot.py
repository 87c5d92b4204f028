import json

from helpers import REPO

from repvgg_seg.reports.plot import plot_accuracy_against_speed


def test_rows_without_the_accuracy_are_left_out(tmp_path):
    rows = [
        dict(name='pspnet_a', form='fused', examples_per_s=2.0, miou=70.0),
        dict(name='resnet', form='fused', examples_per_s=3.0),
    ]
    plot_accuracy_against_speed(tmp_path / 'figure.svg', rows, 'miou', 'mIoU')
    drawn = (tmp_path / 'figure.svg').read_text()
    assert '<!-- a -->' in drawn and '<!-- mIoU -->' in drawn
    assert '<!-- RepVGG, fused -->' in drawn and '<!-- ResNet, fused -->' not in drawn
    assert [path.name for path in tmp_path.iterdir()] == ['figure.svg']


def test_a_record_written_before(tmp_path):
    rows = json.loads((REPO / 'results' / 'benchmark_table4_cpu.json').read_text())['rows']
    plot_accuracy_against_speed(tmp_path / 'figure.svg', rows, 'top1', 'top-1')
    drawn = (tmp_path / 'figure.svg').read_text()
    for row in rows:
        assert f'<!-- {row["name"]} -->' in drawn, row['name']
