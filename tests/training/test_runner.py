import io
from pathlib import Path

import pytest
from tiny import tiny_config

from repvgg_seg.evaluation.fast_drawing import draw_labels
from repvgg_seg.training.runner import build_runner


@pytest.mark.slow
def test_the_screen_the_log_file_and_the_visualizer(scenes, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        io, 'text_encoding', lambda encoding, *_: encoding or 'ascii'
    )  # a system whose texts are not UTF-8, as Windows
    hook = dict(type='SegVisualizationHook', draw=True, interval=1)
    runner = build_runner(tiny_config(scenes, tmp_path, log_level='INFO', default_hooks__visualization=hook))
    assert runner.visualizer._draw_sem_seg.func is draw_labels, 'pictures of a validation are drawn fast, too'

    start = capsys.readouterr().out
    assert len(start.splitlines()) < 5, 'the environment, the config and the table of hooks are not shown'
    lines = ['paramwise_options -- backbone.stage0.rbr_dense.bn.bias:weight_decay=0.0', 'the loss of 图 is 1']
    for line in lines:
        runner.logger.info(line)
    shown = capsys.readouterr().out
    assert lines[0] not in shown and lines[1] in shown
    (path,) = Path(runner.log_dir).glob('*.log')
    text = path.read_text(encoding='utf-8')
    for line in (*lines, 'System environment:', 'Config:', 'Hooks will be executed'):
        assert line in text
    assert str(path) in start
