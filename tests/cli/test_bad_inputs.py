"""Bad inputs of every command: each ends in one line and exit status 2, and nothing on disk has changed."""

import functools
import hashlib
import io
import json
import os
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest
import torch
from helpers import REPO
from mmengine.logging import HistoryBuffer, MMLogger
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from tiny import TINY, tiny_config
from weight_files import Malicious, classifier

from repvgg_seg.cli.main import main
from repvgg_seg.cli.update_results import main as update_results
from repvgg_seg.weights.write import write_checkpoint

pytestmark = pytest.mark.slow

# What a table row may name in braces is in `place`, the current folder; {work} is a folder outside that takes logs.
CONVERT = [
    ('none.pth', 'no file none.pth'),
    ('empty.pth', 'empty.pth is empty (0 bytes)'),
    ('text.pth', 'text.pth is not a checkpoint, or a truncated one'),
    ('page.pth', 'is a web page and not the weights'),
    ('pointer.pth', 'is a Git LFS pointer'),
    ('cut.pth', 'cut.pth is not a checkpoint, or a truncated one'),
    ('flipped.pth', 'flipped.pth is not a checkpoint, or a truncated one'),
    ('cut.safetensors', 'cut.safetensors is not a safetensors file, or a truncated one'),
    ('claims_gigabytes.safetensors', 'is not a safetensors file, or a truncated one'),
    ('tensor_past_the_end.safetensors', 'is not a safetensors file, or a truncated one'),
    ('code.pth', 'holds more than tensors: reading it would run'),
    ('code_legacy.pth', 'holds more than tensors: reading it would run'),
    ('code.pkl', 'holds more than tensors: reading it would run'),
    ('code_by_getattr.pth', 'holds more than tensors: reading it would run'),
    ('tar.pth', 'is not a checkpoint, or a truncated one'),
    ('zip_bomb.pth', 'would take 100,000,0'),
    ('expanded.pth', 'would take 4,000,000,000,000 in memory'),
    ('list.pth', 'holds a list and no dict of tensors'),
    ('nothing.pth', 'holds an empty dict'),
    ('itself.pth', 'no RepVGG'),
    ('other.pth', 'no RepVGG'),
    ('half.pth', 'missing'),
    ('numbers.pth', 'no RepVGG'),
    ('pipe.pth', 'it is a pipe or a device'),
    ('folder.pth', 'Is a directory'),
    ('tiny.py', 'is Python code and no checkpoint'),
    ('~nobody_here/x.pth', 'no file ~nobody_here/x.pth'),
]
TRAIN = [
    ('none.py', (), 'no config none.py'),
    ('pspnet_repvgg_b22', (), 'did you mean'),
    ('a\nb', (), 'no config a\\nb'),
    ('x' * 5000, (), 'no config xxx'),
    ('syntax.py', (), 'cannot be read as a config'),
    ('latin.py', (), 'cannot be read as a config'),
    ('no_base.py', (), 'cannot be read as a config'),
    ('no_model.py', (), 'has no model'),
    ('type.py', (), 'model is the type dict itself'),
    ('list.json', (), 'cannot be read as a config'),
    ('code.yaml', (), 'cannot be read as a config: ConstructorError'),
    ('whole.pth', (), 'is a checkpoint: the config comes first'),
    ('tiny.py', ('batch',), 'give KEY=VALUE'),
    ('tiny.py', ('=1',), 'give KEY=VALUE'),
    ('tiny.py', ('model..arch=1',), 'an empty name in this key'),
    ('tiny.py', ('model.backbone.arch=Z9',), 'known: A0'),
    ('tiny.py', ('custom_hooks.99.optimize=True',), 'custom_hooks is a list, its items: 0 to '),
    ('tiny.py', ('train_dataloader.batch_size.x=1',), 'does not fit: train_dataloader.batch_size is 2'),
    ('tiny.py', ('param_scheduler.0.end=[1, 2',), 'cannot be read'),
    ('tiny.py', ('train_dataloader.dataset.data_root=nowhere',), 'make-synthetic-scenes'),
    ('tiny.py', ('train_dataloader.batch_size=1',), 'one image per GPU'),
    ('tiny.py', ('model.backbone.init_cfg.type=Pretrained', 'model.backbone.init_cfg.checkpoint=no.pth'), 'no file no.pth'),
    ('tiny.py', ('load_from=no.pth',), 'no file no.pth'),
    ('tiny.py', ('model.backbone.arhc=B2',), 'model.backbone.arhc: RepVGG takes no argument of this name'),
    ('tiny.py', ('train_dataloader.dataset.foo=1',), 'CheckedCityscapesDataset takes no argument of this name'),
    ('tiny.py', ('train_dataloader.sampler.type=InfinitSampler',), 'the closest are InfiniteSampler'),
    ('tiny.py', ("visualizer.vis_backends=[{'type':'WandbVisBackends'}]",), "no vis_backend has the name 'WandbVisBackends'"),
    ('tiny.py', ('model.backbone.deploy=True',), 'model.backbone.deploy=True builds the fused form'),
    ('tiny.py', ('model.decode_head.type=PSPHaed',), "no model has the name 'PSPHaed'; the closest are PSPHead"),
    ('bomb_image.py', (), 'bomb_leftImg8bit.png claims 3,600,000,000 pixels'),
    ('bomb_label.py', (), 'bomb_gtFine_labelTrainIds.png claims 3,600,000,000 pixels'),
]  # fmt: skip
OTHERS = [
    ('', 'name a command'),
    ('trian x', 'no command trian: did you mean train?'),
    ('--nonsense', '--nonsense'),
    ('train', 'the following arguments are required'),
    ('train tiny.py --resume none.pth --work-dir {work}', 'none.pth'),
    ('train tiny.py --work-dir whole.pth', 'whole.pth'),
    ('train tiny.py --launcher none_such', 'invalid choice'),
    ('test tiny.py none.pth --work-dir {work}', 'no file none.pth'),
    ('test tiny.py code.pth --work-dir {work}', 'holds more than tensors'),
    ('test tiny.py whole.pth --work-dir {work}', 'whole.pth'),
    ('test whole.pth tiny.py --work-dir {work}', 'is a checkpoint: the config comes first'),
    ('convert-weights whole.pth whole.pth --to timm', 'is the checkpoint itself'),
    ('convert-weights whole.pth fused.pth --to timm', 'fused.pth exists: name another file'),
    ('convert-weights whole.pth no/out.pth --to timm', 'no folder no for no/out.pth'),
    ('convert-weights whole.pth folder.pth --to timm', 'folder.pth is a folder'),
    ('convert-weights whole.pth out.pth --to tim', 'invalid choice'),
    ('convert-weights fused.pth out.pth --to timm', 'fused and cannot be taken apart'),
    ('convert-weights nan.pth out.pth --to timm --deploy', 'NaN'),
    ('predict', 'the following arguments are required'),
    ('predict none.jpg', 'no such file or folder: none.jpg'),
    ('predict bomb.png --config tiny.py --checkpoint code.pth', 'holds more than tensors'),
    ('predict bomb.png --config tiny.py --checkpoint whole.pth', 'whole.pth'),
    ('predict bomb.png --checkpoint seg.pth --config tiny.py --ids trainid', 'invalid choice'),
    ('prune tiny.py none.pth --share 0.3 --out-dir out', 'no file none.pth'),
    ('prune tiny.py seg.pth --share 1 --out-dir out', '--share must be from 0 to less than 1'),
    ('reparameterize tiny.py none.pth out.pth', 'no file none.pth'),
    ('reparameterize tiny.py code.pth out.pth', 'holds more than tensors'),
    ('reparameterize none.py whole.pth out.pth', 'no config none.py'),
    ('reparameterize tiny.py whole.pth whole.pth --overwrite', 'is the checkpoint itself'),
    ('reparameterize tiny.py seg.pth out.pth --image bomb.png', 'bomb.png claims 3,600,000,000 pixels'),
    ('reparameterize tiny.py seg.pth out.pth --image bomb.jpg', 'bomb.jpg claims 4,225,000,000 pixels'),
    ('reparameterize tiny.py seg.pth out.pth --image bomb.webp', 'bomb.webp claims 268,402,689 pixels'),
    ('reparameterize tiny.py seg.pth out.pth --image bomb.npy', 'bomb.npy claims 10,000,000,000 pixels'),
    ('reparameterize tiny.py seg.pth out.pth --image objects.npy', 'is not an image'),
    ('reparameterize tiny.py seg.pth out.pth --image none.png', 'none.png: No such file'),
    ('reparameterize tiny.py seg.pth out.pth --image text.pth', 'is not an image'),
    ('reparameterize tiny.py bad_meta.safetensors out.pth', 'bad_meta.safetensors'),
    ('download-weights', 'name the weights'),
    ('download-weights RepVGG-Z9', "no weights are known as 'RepVGG-Z9'"),
    ('download-weights A0', 'is an architecture: name one of its weights'),
    ('download-weights RepVGG-A0-train --dir new', 'put it at new'),
    ('prepare-cityscapes folder.pth', 'leftImg8bit_trainvaltest.zip'),
    ('prepare-cityscapes none', 'leftImg8bit_trainvaltest.zip'),
    ('prepare-cityscapes cityscapes --workers 0', 'at least one process'),
    ('make-synthetic-scenes new --train -1', 'must be a whole number of 0 or more'),
    ('make-synthetic-scenes new --train 0 --val 0', 'nothing to generate'),
    ('make-synthetic-scenes new --size 1 1', 'at least'),
    ('make-synthetic-scenes folder.pth --train 1', 'was not written by this generator'),
    ('check-dataset none.py', 'none.py'),
    ('check-dataset seg.pth', 'seg.pth'),
    ('check-dataset tiny.py --workers -1', '--workers -1'),
    ('report none', 'no run none'),
    ('report folder.pth --out report', 'the page is HTML'),
    ('report folder.pth --out page/report.html', 'no config, no log and no checkpoint'),
    ('report tiny.py', 'is no run'),
    ('report seg.pth --images 0', '--images 0'),
    ('report seg.pth --images 3 --no-evaluation', 'leave out --no-evaluation'),
    ('train tiny.py --tracker none', 'invalid choice'),
    ('demo --scenes many', 'invalid int value'),
    ('crash-test --kills 0', '--kills must be positive, got 0'),
    ('crash-test --processes two', 'invalid int value'),
    ('crash-test --start-after -1', '--start-after must be positive, got -1'),
    ('export tiny.py none.pth --to torch-export', 'no file none.pth'),
    ('export tiny.py code.pth --to torch-export', 'holds more than tensors'),
    ('export tiny.py whole.pth --to tensorrt', 'invalid choice'),
    ('export tiny.py whole.pth --to ncnn', 'takes images of one size: name it'),
    ('export tiny.py seg.pth --to torch-export --out-dir whole.pth', 'cannot make this folder'),
    ('test tiny.py --engine none.onnx --work-dir {work}', 'no file none.onnx'),
    ('predict bomb.png --checkpoint none.pt2', 'no file none.pt2'),
    ('ablation none.py --out new', 'no config none.py'),
    ('ablation tiny.py --rows plan --out new', 'invalid choice'),
    ('ablation tiny.py --jobs 0 --out new', '--jobs must be positive, got 0'),
    ('train tiny.py --work-dir {work} --cfg-options model.backbone.block=qarep', "unknown block 'qarep'"),
    ('fuzz zip', 'invalid choice'),
    ('fuzz label none.png', 'none.png'),
    ('fuzz label --minutes 0', '--minutes must be positive'),
    ('benchmark segmentors none.py --device cpu --out new/x', 'no config none.py'),
    ("benchmark segmentors --sizes 512 --device cpu --out o", "--sizes must look like 512x1024, got '512'"),
    ('benchmark segmentors --batch 0 --device cpu --out o', '--batch must be positive, got 0'),
    ('benchmark classifiers RepVGG-A0 --memory 2GB --device cpu --out o', "got '2GB'"),
    ('benchmark segmentors --checkpoint x.pth --device cpu --out o', '--checkpoint is for one config'),
    ('benchmark loading folder.pth --device cpu --out o', 'JPEG or '),
    ('benchmark loading folder.pth --config pspnet_repvgg_b2 --device cpu --out o', 'JPEG or '),
    ('benchmark classifiers EfficientNet-B9 --device cpu --out o', "got 'EfficientNet-B9'"),
    ('benchmark kernels --device tpu --out o', '--device must be cpu'),
    ('benchmark kernels --device mps --out o', '--device mps is not here'),
    ('update-results', 'neither '),
]  # fmt: skip
ROWS = [
    *((f'convert-weights\0{file}\0out.pth\0--to\0timm\0--deploy', said) for file, said in CONVERT),
    *(('\0'.join(('train', name, '--work-dir', '{work}', *(('--cfg-options', *given) if given else ()))), said) for name, given, said in TRAIN),
    *((line.replace(' ', '\0'), said) for line, said in OTHERS),
]  # fmt: skip


@pytest.fixture(scope='module')
def place(scenes, tmp_path_factory):
    """A folder of bad files, and of whole ones that bad arguments name."""
    place = tmp_path_factory.mktemp('place')
    init_default_scope('mmseg')
    config = tiny_config(scenes, place / 'work')
    _write_checkpoints(place, config)
    _write_images(place)
    config.pop('work_dir')
    config.dump(place / 'tiny.py')
    for kind in ('image', 'label'):
        folder = place / f'bombs_{kind}'
        for name, file in (('leftImg8bit', 'leftImg8bit.png'), ('gtFine', 'gtFine_labelTrainIds.png')):
            (folder / name / 'train' / 'a').mkdir(parents=True)
            is_bomb = (kind == 'image') == (name == 'leftImg8bit')
            source = place / 'bomb.png' if is_bomb else next((scenes / name / 'train').rglob(f'*{file}'))
            (folder / name / 'train' / 'a' / f'bomb_{file}').write_bytes(source.read_bytes())
        config.train_dataloader.dataset.data_root = str(folder)
        config.train_dataloader.update(drop_last=False, batch_size=2)
        config.dump(place / f'bomb_{kind}.py')
    (place / 'syntax.py').write_text('model = dict(type=\n')
    (place / 'latin.py').write_bytes(b"model = '\xe9'\n")
    (place / 'no_base.py').write_text("_base_ = ['none.py']\n")
    (place / 'no_model.py').write_text('lr = 0.1\n')
    (place / 'type.py').write_text('model = dict\n')
    (place / 'list.json').write_text('[1, 2]')
    (place / 'code.yaml').write_text(f'model: !!python/object/apply:os.mkdir ["{place / "ran"}"]\n')
    return place


def _write_checkpoints(place, config):
    model = classifier(TINY | dict(groups=1), num_classes=4)
    state = model.state_dict()
    whole = {'meta': dict(epoch=1), 'state_dict': state}
    values = dict(
        whole=whole,
        seg=MODELS.build(config.model).state_dict(),
        fused=classifier(TINY | dict(groups=1), deploy=True, num_classes=4).state_dict(),
        nan={name: tensor * float('nan') if 'stage1' in name and 'running_var' in name else tensor for name, tensor in state.items()},
        half={name: tensor for name, tensor in state.items() if not name.endswith('stage2.1.rbr_1x1.bn.weight')},
        code=dict(a=Malicious(place / 'ran')),
        expanded={'a': torch.zeros(()).expand(10**6, 10**6)},
        list=[1, 2],
        nothing={},
        other=dict(a=torch.ones(2)),
        numbers={1: torch.ones(2)},
        code_by_getattr=dict(a=_Getattr()),
    )  # fmt: skip
    values['itself'] = itself = {'a': torch.ones(1)}
    itself['state_dict'] = itself
    for name, value in values.items():
        torch.save(value, place / f'{name}.pth')
    torch.save(values['code'], place / 'code_legacy.pth', _use_new_zipfile_serialization=False)
    (place / 'code.pkl').write_bytes(pickle.dumps(Malicious(place / 'ran'), 0))
    content = (place / 'whole.pth').read_bytes()
    (place / 'cut.pth').write_bytes(content[: len(content) // 2])
    with zipfile.ZipFile(place / 'whole.pth') as read, zipfile.ZipFile(place / 'flipped.pth', 'w') as written:
        for name in read.namelist():
            entry = read.read(name)
            written.writestr(name, entry[:50] + b'\xff' + entry[51:] if name.endswith('data.pkl') else entry)
    with zipfile.ZipFile(place / 'zip_bomb.pth', 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data.pkl', pickle.dumps({}))
        with archive.open('archive/data/0', 'w', force_zip64=True) as entry:
            for _ in range(25):
                entry.write(bytes(4_000_000))
    with tarfile.open(place / 'tar.pth', 'w') as archive:
        entry = tarfile.TarInfo('../../ran')
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b'x'))
    write_checkpoint(state, place / 'whole.safetensors')
    content = (place / 'whole.safetensors').read_bytes()
    (place / 'cut.safetensors').write_bytes(content[:-100])
    (place / 'claims_gigabytes.safetensors').write_bytes(struct.pack('<Q', 1 << 40) + b'{}')
    header = json.dumps(dict(a=dict(dtype='F32', shape=[1 << 32, 2], data_offsets=[0, 1 << 35]))).encode()
    (place / 'tensor_past_the_end.safetensors').write_bytes(struct.pack('<Q', len(header)) + header)
    header = json.dumps(
        {'__metadata__': {'repvgg_seg.meta': '{'}, 'a': dict(dtype='F32', shape=[0], data_offsets=[0, 0])}
    ).encode()
    (place / 'bad_meta.safetensors').write_bytes(struct.pack('<Q', len(header)) + header)
    (place / 'empty.pth').write_bytes(b'')
    (place / 'text.pth').write_text('these are no weights\n' * 9)
    (place / 'page.pth').write_text('<!DOCTYPE html><html></html>')
    (place / 'pointer.pth').write_text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n')
    (place / 'folder.pth').mkdir()
    (place / 'folder.pth' / 'a.txt').write_text('kept')
    os.mkfifo(place / 'pipe.pth')


class _Getattr:
    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


def _write_images(place):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', 60_000, 60_000, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(4_000_000), 9)
    parts = [chunk(b'IHDR', header), chunk(b'IDAT', pixels), chunk(b'IEND', b'')]
    (place / 'bomb.png').write_bytes(b'\x89PNG\r\n\x1a\n' + b''.join(parts))
    frame = struct.pack('>BHHB', 8, 65_000, 65_000, 1) + b'\1\x11\0'
    jpeg = (
        b'\xff\xd8\xff\xc0'
        + struct.pack('>H', len(frame) + 2)
        + frame
        + b'\xff\xda\0\x08\1\1\0\0\x3f\0'
        + bytes(99)
        + b'\xff\xd9'
    )
    (place / 'bomb.jpg').write_bytes(jpeg)
    side = 16_383  # the largest that the format knows
    frame = b'\x30\1\0\x9d\1\x2a' + struct.pack('<HH', side, side) + bytes(100)
    (place / 'bomb.webp').write_bytes(
        b'RIFF' + struct.pack('<I', len(frame) + 12) + b'WEBPVP8 ' + struct.pack('<I', len(frame)) + frame
    )
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, dict(descr='|u1', fortran_order=False, shape=(100_000, 100_000)))
    (place / 'bomb.npy').write_bytes(file.getvalue())
    np.save(place / 'objects.npy', np.array([Malicious(place / 'ran')], object), allow_pickle=True)


def _state(*folders):
    """The names, kinds and sums of everything in some folders."""
    paths = [path for folder in folders for path in sorted(folder.rglob('*'))]
    return {
        str(path): _sum(path, (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size))
        if path.is_file()
        else path.lstat().st_mode
        for path in paths
    }


@functools.cache  # of a file that has not been written to
def _sum(path, written):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize('line, message', ROWS, ids=[line.replace('\0', ' ')[:70] for line, _ in ROWS])
def test_one_line_status_2_and_nothing_changed(place, scenes, tmp_path, monkeypatch, capsys, line, message):
    arguments = [word.replace('{work}', str(tmp_path / 'work')) for word in line.split('\0') if word]
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, 'path', list(sys.path))
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setattr(MMLogger, '_instance_dict', OrderedDict())  # those of earlier tests write to their screens
    before = _state(place, scenes)
    command = main
    if arguments == ['update-results']:
        monkeypatch.setattr(sys, 'argv', arguments)
        command = update_results
    else:
        monkeypatch.setattr(sys, 'argv', ['repvgg-seg', *arguments])
    with pytest.raises(SystemExit) as end:
        command()
    err = capsys.readouterr().err
    assert end.value.code == 2, err
    [error] = [line for line in err.splitlines() if 'error: ' in line]
    assert message in error
    assert 'Traceback' not in err
    assert _state(place, scenes) == before
    assert not (place.parent / 'ran').exists()


def test_the_table_is_of_every_command():
    commands = {line.split('\0')[0] for line, _ in ROWS}
    tools = {path.stem.replace('_', '-') for path in (REPO / 'tools').glob('*.py')}
    assert tools <= commands and len(ROWS) >= 60
