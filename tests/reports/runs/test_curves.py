import json
import math

import pytest

from repvgg_seg.reports.runs.curves import is_score, read_curves, scalar_files


def session(folder, name, training, validation, tail='', epoch=None):
    """The scalars of a session: loss = 100 * number of the session + iteration."""
    path = folder / name / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    extra = {} if epoch is None else dict(epoch=epoch)
    lines = [dict(loss=int(name) * 100 + i, lr=0.1, iter=i, step=i, **extra) for i in training]
    lines += [dict(mIoU=int(name) * 100 + i, time=1.0, step=i) for i in validation]
    path.write_text('\n'.join(map(json.dumps, lines)) + tail)


def test_a_resumed_run_replaces_what_was_computed_again(tmp_path):
    session(tmp_path, '1', [5, 10, 15, 20], [10, 20])
    session(tmp_path, '2', [15, 20, 25], [20])
    curves = read_curves(scalar_files(tmp_path))
    assert curves.training['loss'] == [(5, 105), (10, 110), (15, 215), (20, 220), (25, 225)]
    assert curves.validation['mIoU'] == [(10, 110), (20, 220)]
    assert curves.sessions == [('1', 5, 20), ('2', 15, 25)] and curves.last_iteration == 25
    assert len(curves.notes) == 1 and 'up to iteration 20 was computed again' in curves.notes[0]


def test_values_between_those_of_the_resumed_session_are_dropped(tmp_path):
    session(tmp_path, '1', [5, 10, 15, 20], [20])
    session(tmp_path, '2', [12, 17], [])
    curves = read_curves(scalar_files(tmp_path))
    assert curves.training['loss'] == [(5, 105), (10, 110), (12, 212), (17, 217)] and curves.validation == {}


def test_a_run_that_goes_on_where_it_stopped(tmp_path):
    session(tmp_path, '1', [5, 10], [10])
    session(tmp_path, '2', [15], [])
    curves = read_curves(scalar_files(tmp_path))
    assert [x for x, _ in curves.training['loss']] == [5, 10, 15] and curves.validation['mIoU'] == [(10, 110)]
    assert 'shortly before iteration 15' in curves.notes[0]


def test_lines_that_are_cut_short_and_values_that_are_no_numbers(tmp_path):
    session(tmp_path, '1', [5], [], tail='\n{"loss": NaN, "iter": 6, "step": 6}\n[1]\n{"step": "x"}\n{"loss": 1.2, "it')
    curves = read_curves(scalar_files(tmp_path))
    assert math.isnan(curves.training['loss'][-1][1]) and '2 lines' in curves.notes[0]


def test_validations_of_a_classifier_are_counted_in_epochs(tmp_path):
    session(tmp_path, '1', [100, 200], [1, 2], epoch=1)
    session(tmp_path, '2', [150, 300], [2, 3], epoch=2)
    curves = read_curves(scalar_files(tmp_path))
    assert curves.validation_step == 'epoch' and [y for _, y in curves.validation['mIoU']] == [101, 202, 203]


def test_a_work_dir_without_scalars(tmp_path):
    (tmp_path / '1' / 'vis_data').mkdir(parents=True)
    (tmp_path / '1' / 'vis_data' / 'scalars.json').touch()
    assert scalar_files(tmp_path) == [] and read_curves([]).last_iteration is None


@pytest.mark.parametrize(
    'name, expected', [('mIoU', True), ('street/aAcc', True), ('data_time', False), ('x/time', False)]
)
def test_scores(name, expected):
    assert is_score(name) is expected
