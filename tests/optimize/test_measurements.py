"""What is measured is remembered from call to call, in a file that may be missing, damaged or out of reach."""

import json
import logging
import sys

import pytest
import torch
from helpers import relative_error
from small_models import options, segmentor

import repvgg_seg
from repvgg_seg.optimize import measurements
from repvgg_seg.optimize.measurements import Measurements, cache_folder
from repvgg_seg.optimize.passes import dilation, winograd

CPU = torch.device('cpu')


@pytest.fixture
def measured(monkeypatch):
    """What `optimize_for_inference` measures: times in both passes, and the peaks."""
    calls = []

    def best_seconds(calls_by_name, device, rounds=3):
        calls.append(tuple(calls_by_name))
        return {name: 1.0 - 0.2 * i for i, name in enumerate(calls_by_name)}

    monkeypatch.setattr(winograd, 'best_seconds', best_seconds)
    monkeypatch.setattr(dilation, 'best_seconds', best_seconds)
    monkeypatch.setattr(winograd, 'peak_memory', lambda call, device: calls.append('peak') or 2**20)
    return calls


@pytest.fixture
def warnings_of(monkeypatch):
    messages = []

    def print_log(message, logger, level=logging.INFO):
        if level == logging.WARNING:
            messages.append(message)

    monkeypatch.setattr(measurements, 'print_log', print_log)
    return messages


@pytest.fixture
def optimize():
    model = segmentor()

    def optimize(**kwargs):
        return repvgg_seg.optimize_for_inference(model, **{'input_shape': (1, 3, 64, 64), **kwargs})

    optimize.model = model
    return optimize


@pytest.mark.slow
@pytest.mark.parametrize('skip', ['dilation', 'winograd', ()])
def test_the_second_call_measures_nothing(measured, optimize, skip):
    optimized = optimize(skip=skip)
    assert measured and measured.count('peak') == (
        0 if skip == 'winograd' else 2
    )  # fused, and before the convs are replaced
    measured.clear()
    again = optimize(skip=skip)
    assert measured == []
    assert again.optimize_report == optimized.optimize_report
    image = torch.randn(1, 3, 72, 64)
    with torch.inference_mode():
        assert relative_error(again(image), optimize.model(image)) < 1e-5


def test_each_shape_is_measured_once(measured):
    """Three layers of stage3 are alike, but for the first of stride 2, and so are the two of stage4 that are dilated."""
    convs = torch.nn.Sequential(
        *(torch.nn.Conv2d(32, 32, 3, padding=d, dilation=d) for d in (1, 1, 2, 1, 2)),
        torch.nn.Conv2d(32, 16, 3, padding=1),
    )
    _, record = winograd.apply_winograd(convs.eval(), options(input_shape=(1, 32, 24, 24)))
    assert record.candidates == 6 and measured == [('plain', 'winograd')] * 3 + ['peak']


@pytest.mark.slow
@pytest.mark.parametrize(
    'other', ['shape', 'batch', 'threads', 'processor', 'torch', 'repvgg_seg', 'measure_anew', 'cache']
)
def test_measured_again_under_other_circumstances(measured, optimize, monkeypatch, tmp_path, other):
    optimize()
    first = measured.copy()
    measured.clear()
    kwargs = dict(shape=dict(input_shape=(1, 3, 96, 64)), batch=dict(input_shape=(2, 3, 64, 64)))
    changes = dict(
        threads=(torch, 'get_num_threads', lambda: 7),
        processor=(measurements, 'device_name', lambda device: 'a faster one'),
        torch=(torch, '__version__', '9.0'),
        repvgg_seg=(measurements, '__version__', '9.0'),
    )
    if other in changes:
        monkeypatch.setattr(*changes[other])
    elif other == 'cache':
        monkeypatch.setenv('REPVGG_SEG_CACHE', str(tmp_path / 'new' / 'folder'))
    optimize(**kwargs.get(other, dict(measure_anew=other == 'measure_anew')))
    assert sorted(map(str, measured)) == sorted(map(str, first))
    measured.clear()
    optimize(**kwargs.get(other, {}))
    assert measured == []


def test_new_figures_take_the_place_of_the_old(tmp_path):
    for figure, anew, expected in ((1.0, False, 1.0), (2.0, False, 1.0), (3.0, True, 3.0), (4.0, False, 3.0)):
        kept = Measurements(tmp_path, anew)
        assert kept.get('a conv', ['seconds'], CPU, lambda figure=figure: dict(seconds=figure)) == dict(
            seconds=expected
        )
        kept.save()
    assert len(json.loads((tmp_path / 'measurements.json').read_text())) == 1


def test_two_that_write_at_the_same_time_keep_both(tmp_path):
    first, second = Measurements(tmp_path), Measurements(tmp_path)
    for kept, name in ((first, 'a'), (second, 'b')):
        kept.get(name, ['seconds'], CPU, lambda: dict(seconds=1.0))
    first.save()
    second.save()
    found = Measurements(tmp_path)
    for name in 'ab':
        assert found.get(name, ['seconds'], CPU, lambda: pytest.fail('measured again')) == dict(seconds=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ['measurements.json']


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{',
        b'[]',
        b'null',
        b'{"a": 1}',
        b'{"a": {"b": "c"}}',
        b'{"a": {"b": true}}',
        b'\xff\xfe',
        b'[' * 10**5,
        None,
    ],
)
def test_a_damaged_file_is_measured_anew(tmp_path, warnings_of, content):
    path = tmp_path / 'measurements.json'
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    kept = Measurements(tmp_path)
    assert kept.get('a conv', ['seconds'], CPU, lambda: dict(seconds=1.0)) == dict(seconds=1.0)
    kept.save()
    assert len(warnings_of) == 1 and warnings_of[0].startswith(f'optimize: cannot read {path}, ')
    assert '\n' not in warnings_of[0]
    if content is not None:
        again = Measurements(tmp_path)
        assert again.get('a conv', ['seconds'], CPU, lambda: pytest.fail('measured again')) == dict(seconds=1.0)


def test_figures_of_other_names_are_measured_anew(tmp_path):
    for names in (['seconds'], ['plain', 'winograd']):
        kept = Measurements(tmp_path)
        assert kept.get('a conv', names, CPU, lambda names=names: dict.fromkeys(names, 1.0)).keys() == {*names}
        kept.save()


@pytest.mark.slow
def test_a_folder_that_cannot_be_written(optimize, measured, monkeypatch, tmp_path, warnings_of):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('REPVGG_SEG_CACHE', str(tmp_path / 'file' / 'folder'))
    assert 'winograd' in optimize().optimize_report
    assert len(warnings_of) == 1 and 'cannot write' in warnings_of[0] and 'REPVGG_SEG_CACHE' in warnings_of[0]


def test_the_file_does_not_grow_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, '_MOST', 2)
    for name in 'abc':
        kept = Measurements(tmp_path)
        kept.get(name, ['seconds'], CPU, lambda: dict(seconds=1.0))
        kept.save()
    found = json.loads((tmp_path / 'measurements.json').read_text())
    assert [key[0] for key in found] == ['b', 'c']


@pytest.mark.parametrize(
    'platform, variables, expected',
    [
        ('linux', dict(XDG_CACHE_HOME='/caches'), '/caches/repvgg_seg'),
        ('linux', dict(HOME='/home/a'), '/home/a/.cache/repvgg_seg'),
        ('darwin', dict(HOME='/home/a'), '/home/a/Library/Caches/repvgg_seg'),
        ('win32', dict(LOCALAPPDATA='/local'), '/local/repvgg_seg'),
        ('linux', dict(REPVGG_SEG_CACHE='/mine', XDG_CACHE_HOME='/caches'), '/mine'),
    ],
)
def test_the_folder(monkeypatch, platform, variables, expected):
    for name in ('REPVGG_SEG_CACHE', 'XDG_CACHE_HOME', 'LOCALAPPDATA', 'HOME'):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, 'platform', platform)
    assert cache_folder().as_posix() == expected
