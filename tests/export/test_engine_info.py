import json

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.export.engine_info import EngineInfo, read_info


def info(**facts):
    usual = dict(
        format='onnx',
        precision='fp32',
        size=(64, 96),
        channels=3,
        normalizes=True,
        classes=('road', 'sky'),
        palette=((1, 2, 3), (4, 5, 6)),
        out_channels=2,
        align_corners=False,
        threshold=None,
        data_preprocessor=dict(type='SegDataPreProcessor'),
        test_cfg=dict(mode='whole'),
        test_pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')],
    )
    return EngineInfo(**(usual | facts))


@pytest.mark.parametrize('facts', [{}, dict(size=None, threshold=0.3, out_channels=1), dict(about=dict(a=[1]))])
def test_what_is_written_is_read(tmp_path, facts):
    info(**facts).write(tmp_path / 'a.onnx')
    assert [path.name for path in tmp_path.iterdir()] == ['a.onnx.json']
    assert read_info(tmp_path / 'a.onnx') == info(**facts)


def test_a_scale_is_a_tuple_as_the_steps_of_a_pipeline_want_it(tmp_path):
    steps = [dict(type='Resize', scale=(64, 32)), dict(type='X', transforms=[[dict(scale=(1, 2))]], names=['a'])]
    cfg = dict(mode='slide', crop_size=(8, 8), stride=(4, 4))
    info(test_pipeline=steps, test_cfg=cfg).write(tmp_path / 'a.onnx')
    read = read_info(tmp_path / 'a.onnx')
    assert read.test_pipeline == steps and read.test_cfg == cfg


@pytest.mark.parametrize(
    'edit, said',
    [
        (lambda text: None, 'a.onnx.json cannot be read'),
        (lambda text: text[:50], 'a.onnx.json is damaged'),
        (lambda text: '[1, 2]', 'is damaged, or of another version'),
        (lambda text: _without(text, 'classes'), 'is damaged, or of another version'),
        (lambda text: _with(text, size=[1, 2, 3]), 'is damaged, or of another version'),
        (lambda text: _with(text, channels='3'), 'is damaged, or of another version'),
        (lambda text: _with(text, palette=[1]), 'is damaged, or of another version'),
        (lambda text: _with(text, normalizes=None), 'is damaged, or of another version'),
        (lambda text: _with(text, test_cfg=[]), 'is damaged, or of another version'),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, edit, said):
    info().write(tmp_path / 'a.onnx')
    path = tmp_path / 'a.onnx.json'
    text = edit(path.read_text())
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_info(tmp_path / 'a.onnx')


def _without(text, name):
    return json.dumps({key: value for key, value in json.loads(text).items() if key != name})


def _with(text, **values):
    return json.dumps(json.loads(text) | values)
