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
from repvgg_seg.export.write_engine_file import ExportOptions
from repvgg_seg.export.write_fastest import write_fastest

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
    layout = {'Input', 'Split', 'MemoryData', 'MatMul', 'BinaryOp'}
    assert {line[0] for line in body} - {'Convolution'} <= layout
    assert sum(line[0] == 'BinaryOp' for line in body) == 4  # a mask before each of the four dilated layers


def test_normalised_images_and_half_precision(small, tmp_path):
    skip_without_engine('ncnn')
    info = facts('ncnn', small, size=(64, 96), normalizes=False, precision='bf16')
    found = module.write_engine_file(small, tmp_path / 'a.ncnn.param', info, ExportOptions(pictures((64, 96))))
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
        module.write_engine_file(small, tmp_path / 'a.ncnn.param', info, ExportOptions(pictures((64, 96))))
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_stays_until_the_new_one_is_whole(small, tmp_path, monkeypatch):
    skip_without_engine('ncnn')
    info, target = facts('ncnn', small, size=(64, 96)), tmp_path / 'a.ncnn.param'
    (tmp_path / 'a.ncnn.bin').write_text('old')
    for overwrite, said in ((False, 'a.ncnn.bin exists: name another folder, or say --overwrite'), (True, 'NaN')):
        if overwrite:
            monkeypatch.setattr(module, 'compare', lambda *_: module.Comparison(1, (), float('nan'), 0.0))
        with pytest.raises(InputError, match=said):
            module.write_engine_file(small, target, info, ExportOptions(pictures((64, 96)), overwrite=overwrite))
        assert [path.name for path in tmp_path.iterdir()] == ['a.ncnn.bin']
        assert (tmp_path / 'a.ncnn.bin').read_text() == 'old'
    monkeypatch.undo()
    module.write_engine_file(small, target, info, ExportOptions(pictures((64, 96)), overwrite=True))
    assert len(list(tmp_path.iterdir())) == 3 and load_engine(target).info.size == (64, 96)


def test_a_folder_that_takes_no_files(small, tmp_path):
    (tmp_path / 'folder').write_text('')
    with pytest.raises(InputError, match='cannot write .*/folder/a.ncnn.param: '):
        info = facts('ncnn', small, size=(64, 96))
        module.write_engine_file(small, tmp_path / 'folder' / 'a.ncnn.param', info, ExportOptions([]))


@pytest.mark.parametrize('format, limit', [('onnx', 9), ('openvino', 0)])
def test_8_bits(small, tmp_path, format, limit):
    """Convs in 8 bits, but for those whose features would change too much."""
    skip_without_engine(format, 'int8')
    target = tmp_path / f'a{FORMATS[format].suffix}'
    images = pictures((64, 96), (51, 70))
    info = facts(format, small, precision='int8', size=(64, 96))
    found = module.write_engine_file(small, target, info, ExportOptions(images, images, int8_error=limit))
    about = load_engine(target).info.about['int8']
    assert (about['calibration_images'], about['largest_error']) == (2, limit)
    if limit:  # 8 bits it is, and no worse than that
        assert 1e-4 < found.relative_error < 0.3 and found.equal_labels > 0.9 and not about['in_fp32']
    else:
        assert found.relative_error < 1e-4 and 'segmentor.decode_head.conv_seg' in about['in_fp32']


def test_the_fastest_is_kept(small, tmp_path, monkeypatch, capsys):
    from repvgg_seg.export import write_fastest as fastest

    targets = {}
    for name in ('ncnn', 'torch-export'):
        skip_without_engine(name)
        targets[tmp_path / f'a{FORMATS[name].suffix}'] = facts(name, small, size=(64, 96))
    options = ExportOptions(pictures((64, 96)))
    monkeypatch.setattr(
        fastest, 'seconds_of', lambda engines, *_: dict(zip(reversed(list(engines)), (1.0, 2.0), strict=True))
    )
    target, found, seconds = write_fastest(small, targets, options)
    assert target.name == 'a.pt2' and found.relative_error < 1e-4 and list(seconds) == ['torch-export', 'ncnn']
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a.pt2', 'a.pt2.json']
    with pytest.raises(InputError, match='a.pt2 exists'):
        write_fastest(small, targets, options)


def test_an_engine_that_cannot_write_the_network_is_left_out(small, tmp_path, monkeypatch):
    skip_without_engine('ncnn')
    targets = {
        tmp_path / f'a{FORMATS[name].suffix}': facts(name, small, size=(64, 96)) for name in ('ncnn', 'torch-export')
    }
    write = FORMATS['torch-export'].write

    def fail(*_):
        raise RuntimeError('no such operator')

    monkeypatch.setitem(vars(FORMATS['torch-export']), 'write', fail)
    target, _, seconds = write_fastest(small, targets, ExportOptions(pictures((64, 96))))
    assert target.name == 'a.ncnn.param' and list(seconds) == ['ncnn']
    monkeypatch.setitem(vars(FORMATS['ncnn']), 'write', fail)
    with pytest.raises(InputError, match='cannot be written for .*no such operator'):
        write_fastest(small, targets, ExportOptions(pictures((64, 96)), overwrite=True))
    assert write is not fail and load_engine(target).info.format == 'ncnn'


def test_settings_of_ncnn_are_chosen_by_measuring(small, tmp_path, monkeypatch):
    skip_without_engine('ncnn')
    from repvgg_seg.export import fastest

    target = tmp_path / 'a.ncnn.param'
    monkeypatch.setattr(fastest, 'seconds_of', lambda engines, *_: dict.fromkeys(reversed(list(engines)), 1.0))
    module.write_engine_file(small, target, facts('ncnn', small, size=(64, 96)), ExportOptions(pictures((64, 96))))
    assert load_engine(target).info.settings == dict(use_packing_layout=False)
    beside = target.with_name(target.name + '.json')
    beside.write_text(beside.read_text().replace('use_packing_layout', 'use_vulkan_compute'))
    with pytest.raises(InputError, match='has other settings than ncnn is given'):
        load_engine(target)
