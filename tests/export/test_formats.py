import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.export import formats
from repvgg_seg.export.engine import is_engine_file
from repvgg_seg.export.formats import FORMATS, chosen_format, formats_that_can


@pytest.mark.parametrize(
    'arguments, said',
    [
        (('tensorrt', 'fp32', None), "a format is one of onnx, openvino, ncnn, torch-export, got 'tensorrt'"),
        (('onnx', 'bf16', None), "ONNX Runtime computes in fp32 or int8 here, got 'bf16'"),
        (('ncnn', 'fp32', None), 'takes images of one size: name it'),
        (('onnx', 'fp32', (0, 64)), 'height and width in pixels, got 0 64'),
        (('onnx', 'fp32', (64, -1)), 'height and width in pixels, got 64 -1'),
    ],
)
def test_what_no_format_can_do(arguments, said):
    with pytest.raises(InputError, match=said):
        chosen_format(*arguments)


@pytest.mark.parametrize(
    'name, missing, to_write, said',
    [
        ('onnx', 'onnxscript', True, "onnxscript is not installed: pip install 'repvgg_seg\\[onnx\\]'"),
        ('onnx', 'onnxruntime', False, 'ONNX Runtime needs onnxruntime, and onnxruntime is not installed: pip install'),
        ('openvino', 'nncf', True, "and nncf is not installed: pip install 'repvgg_seg\\[openvino\\]'"),
        ('openvino', 'openvino', True, "pip install 'repvgg_seg\\[openvino\\]'"),
        ('ncnn', 'pnnx', True, "ncnn needs pnnx, ncnn, and pnnx is not installed: pip install 'repvgg_seg\\[ncnn\\]'"),
    ],
)
def test_an_engine_that_is_not_installed(monkeypatch, name, missing, to_write, said):
    monkeypatch.setattr(formats, 'find_spec', lambda package: None if package == missing else object())
    with pytest.raises(InputError, match=said):
        FORMATS[name].check_installed(to_write, 'int8')


def test_packages_that_write_are_not_needed_to_run(monkeypatch):
    monkeypatch.setattr(formats, 'find_spec', lambda package: object() if package in ('onnxruntime', 'ncnn') else None)
    FORMATS['onnx'].check_installed(to_write=False)
    FORMATS['ncnn'].check_installed(to_write=False)
    monkeypatch.setattr(formats, 'find_spec', lambda package: None if package == 'nncf' else object())
    FORMATS['openvino'].check_installed(to_write=True)


def test_endings():
    assert all(map(is_engine_file, ('a.onnx', 'b/a.xml', 'a.ncnn.param', 'a.pt2')))
    assert not any(map(is_engine_file, ('a.pth', 'a.onnx.json', 'a.bin', None, 3, 'a.param')))


def test_formats_to_choose_from(monkeypatch):
    monkeypatch.setattr(formats, 'find_spec', lambda package: None if package in ('openvino', 'nncf') else object())
    assert [format.name for format in formats_that_can('fp32', (64, 64))] == ['onnx', 'ncnn', 'torch-export']
    assert [format.name for format in formats_that_can('int8', None)] == ['onnx']
    for precision, size, said in (
        ('fp16', (64, 64), 'OpenVINO needs onnx.*openvino is not installed: pip install'),
        ('fp32', (0, 64), 'height and width in pixels, got 0 64'),
    ):
        with pytest.raises(InputError, match=said):
            formats_that_can(precision, size)
