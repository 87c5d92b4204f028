"""Every engine, whole: the file is written, run, and compared."""

import re

import pytest
import torch
from engine_files import facts, pictures, skip_without_engine
from helpers import relative_error

from repvgg_seg.errors import InputError
from repvgg_seg.export import load_engine
from repvgg_seg.export import write_engine_file as module
from repvgg_seg.export.formats import FORMATS

pytestmark = pytest.mark.slow
ANY_SIZE = [name for name, format in FORMATS.items() if format.any_size]
CASES = [*((name, None) for name in ANY_SIZE), ('ncnn', (64, 96))]


@pytest.mark.parametrize('format, size', CASES)
@torch.no_grad()
def test_the_file_computes_what_the_model_computes(small, exported, format, size):
    file, found = exported(format, size)
    assert found.images == (3 if size is None else 2) and found.relative_error < 1e-4 and found.equal_labels > 0.999
    engine = load_engine(file)
    for picture in pictures((64, 96), *([] if size else [(37, 53), (90, 90), (128, 33)])):
        inputs = small.data_preprocessor(dict(inputs=[picture, picture.flip(2)]), False)['inputs']
        expected = small(inputs, mode='tensor')
        given = torch.stack([picture, picture.flip(2)])
        assert expected.std() > 0.1
        for images in (given, given.float(), given.numpy()):
            assert relative_error(engine(images), expected) < 1e-5
    assert all(path.is_file() for path in (*FORMATS[format].files(file), file.with_name(file.name + '.json')))
    assert not list(file.parent.glob('.*'))


@pytest.mark.parametrize('format, size', CASES)
def test_nothing_of_this_machine_is_in_the_files(exported, format, size):
    file, _ = exported(format, size)
    for path in FORMATS[format].files(file):
        assert not re.search(rb'site-packages|\.py\b|/home/|/tmp/', path.read_bytes()), path


def test_the_body_in_onnx_is_3x3_convs_and_relus_and_nothing_else(exported):
    file, _ = exported('onnx')
    import onnx

    graph = onnx.load(file).graph
    kernels = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    found = []
    for node in graph.node:
        namespace = ''.join(item.value for item in node.metadata_props if item.key == 'namespace')
        if 'backbone' in namespace:
            found.append((node.op_type, *(kernels[name][2:] for name in node.input if name in kernels)))
    conv = ('Conv', (3, 3), ())  # its kernel and its bias
    assert found == [conv, ('Relu',)] * 8
    assert not any('Pool' in node.op_type or 'Resize' in node.op_type for node in graph.node)


def test_the_body_in_ncnn_is_undilated_3x3_convs_with_relu_and_layout_steps(exported):
    file, _ = exported('ncnn', (64, 96))
    lines = [line.split() for line in file.read_text().splitlines()[2:]]
    body = lines[: next(i for i, line in enumerate(lines) if 'decode_head' in ' '.join(line))]
    convs = [dict(item.split('=', 1) for item in line[4:] if '=' in item) for line in body if line[0] == 'Convolution']
    assert [(conv['1'], conv['2'], conv.get('9')) for conv in convs] == [('1', '1', None)] + [('3', '1', '1')] * 8
    layout = {'Input', 'Split', 'MemoryData', 'Reshape', 'Gemm', 'MatMul', 'BinaryOp'}
    assert {line[0] for line in body} - {'Convolution'} <= layout
    assert sum(line[0] == 'BinaryOp' for line in body) == 4  # a mask before each of the four dilated layers


def test_normalised_images_and_half_precision(small, tmp_path):
    skip_without_engine('ncnn')
    info = facts('ncnn', small, size=(64, 96), normalizes=False, precision='bf16')
    found = module.write_engine_file(small, tmp_path / 'a.ncnn.param', info, pictures((64, 96)))
    assert found.relative_error < 0.1
    engine = load_engine(tmp_path / 'a.ncnn.param')
    assert engine.name == 'ncnn-bf16' and engine.info.about['compared']['relative_error'] == found.relative_error
    image = torch.randn(1, 3, 64, 96)
    assert relative_error(engine(image), small(image, mode='tensor')) < 0.1


def test_a_file_that_computes_something_else_is_not_written(small, tmp_path, monkeypatch):
    skip_without_engine('ncnn')
    form = module.export_form

    def wrong(model, *args):
        wrong = form(model, *args)
        wrong.segmentor.decode_head.conv_seg.bias.data += 1
        return wrong

    monkeypatch.setattr(module, 'export_form', wrong)
    info = facts('ncnn', small, size=(64, 96))
    with pytest.raises(InputError, match='the logits of ncnn differ from those of PyTorch by .*: look for'):
        module.write_engine_file(small, tmp_path / 'a.ncnn.param', info, pictures((64, 96)))
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(small, tmp_path, monkeypatch):
    skip_without_engine('ncnn')
    info, target = facts('ncnn', small, size=(64, 96)), tmp_path / 'a.ncnn.param'
    (tmp_path / 'a.ncnn.bin').write_text('old')
    for overwrite, said in ((False, 'a.ncnn.bin exists: name another folder, or say --overwrite'), (True, 'NaN')):
        if overwrite:
            monkeypatch.setattr(module, 'compare', lambda *_: module.Comparison(1, (), float('nan'), 0.0))
        with pytest.raises(InputError, match=said):
            module.write_engine_file(small, target, info, pictures((64, 96)), overwrite)
        assert [path.name for path in tmp_path.iterdir()] == ['a.ncnn.bin']
        assert (tmp_path / 'a.ncnn.bin').read_text() == 'old'
    monkeypatch.undo()
    module.write_engine_file(small, target, info, pictures((64, 96)), True)
    assert len(list(tmp_path.iterdir())) == 3 and load_engine(target).info.size == (64, 96)


def test_a_folder_that_takes_no_files(small, tmp_path):
    (tmp_path / 'folder').write_text('')
    with pytest.raises(InputError, match='cannot write .*/folder/a.ncnn.param: '):
        module.write_engine_file(small, tmp_path / 'folder' / 'a.ncnn.param', facts('ncnn', small, size=(64, 96)), [])
