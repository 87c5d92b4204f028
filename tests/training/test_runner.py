from pathlib import Path

from tiny import tiny_config

from repvgg_seg.training.runner import build_runner


def test_what_carries_nothing_is_in_the_log_file_alone(scenes, tmp_path, capsys):
    runner = build_runner(tiny_config(scenes, tmp_path, log_level='INFO'))
    capsys.readouterr()
    lines = ['paramwise_options -- backbone.stage0.rbr_dense.bn.bias:weight_decay=0.0', 'the loss is 1']
    for line in lines:
        runner.logger.info(line)
    shown = capsys.readouterr().out
    assert lines[0] not in shown and lines[1] in shown
    (path,) = Path(runner.log_dir).glob('*.log')
    assert all(line in path.read_text() for line in lines)
