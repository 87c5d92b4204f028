import copy

import pytest
import torch

import repvgg_seg
from repvgg_seg.errors import InputError
from repvgg_seg.export import formats

pytestmark = pytest.mark.slow
SIZE = (64, 96)


@pytest.mark.parametrize(
    'shape, said',
    [
        ((1, 3, 64, 95), 'takes images of 64x96 \\(height x width\\) alone, got 64x95'),
        ((1, 4, 64, 96), 'takes images \\(N, 3, H, W\\), got \\(1, 4, 64, 96\\)'),
        ((3, 64, 96), 'takes images \\(N, 3, H, W\\)'),
        ((0, 3, 64, 96), 'takes images \\(N, 3, H, W\\)'),
    ],
)
def test_images_that_a_file_does_not_take(exported, shape, said):
    engine = repvgg_seg.load_engine(exported('ncnn', SIZE)[0])
    assert engine(torch.zeros(1, 3, *SIZE)).shape == (1, 5, 8, 12)
    with pytest.raises(InputError, match=said):
        engine(torch.zeros(shape))


def copied(exported, folder):
    file, _ = exported('ncnn', SIZE)
    for path in file.parent.glob('net.ncnn.*'):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder / file.name


@pytest.mark.parametrize(
    'spoil, said',
    [
        (lambda file: file.unlink(), 'no file .*net.ncnn.param'),
        (lambda file: file.with_suffix('.bin').unlink(), 'no file .*net.ncnn.bin, which belongs to net.ncnn.param'),
        (lambda file: file.with_name('net.ncnn.param.json').unlink(), 'net.ncnn.param.json cannot be read'),
        (lambda file: file.write_text('nonsense'), 'ncnn cannot read .*net.ncnn.param'),
        (
            lambda file: file.with_name('net.ncnn.param.json').write_text(
                file.with_name('net.ncnn.param.json').read_text().replace('"ncnn"', '"onnx"')
            ),
            'is a file for ncnn, and what lies beside it says onnx',
        ),
    ],
)
def test_damaged_files(exported, tmp_path, spoil, said):
    file = copied(exported, tmp_path)
    spoil(file)
    with pytest.raises(InputError, match=said):
        repvgg_seg.load_engine(file)


def test_an_engine_that_is_not_installed(exported, monkeypatch):
    file, _ = exported('ncnn', SIZE)
    monkeypatch.setattr(formats, 'find_spec', lambda name: None)
    with pytest.raises(InputError, match="ncnn is not installed: pip install 'repvgg_seg\\[ncnn\\]'"):
        repvgg_seg.load_engine(file)


@pytest.mark.parametrize('name', ['net.pth', 'net.onnx.json', 'net'])
def test_other_files(name):
    with pytest.raises(InputError, match='is no exported file, by its ending: name one that ends in .onnx, .xml'):
        repvgg_seg.load_engine(name)


def test_facts_and_names(exported):
    engine = repvgg_seg.load_engine(exported('ncnn', SIZE)[0])
    assert (engine.name, engine.stem) == ('ncnn-fp32', 'net')
    assert engine.meta['dataset_meta']['classes'] == tuple('abcde')
    assert engine.facts()['sha256'].keys() == {'net.ncnn.bin', 'net.ncnn.param'}
    image = torch.rand(1, 3, *SIZE)
    assert torch.equal(copy.deepcopy(engine)(image), engine(image))
