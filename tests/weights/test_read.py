"""Which files are read, and what is said of the others."""

import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from weight_files import Malicious

from repvgg_seg.errors import InputError
from repvgg_seg.weights.read import read_checkpoint, read_meta
from repvgg_seg.weights.write import write_checkpoint


def test_mmengine_checkpoints_are_read_safely(tmp_path):
    history = HistoryBuffer()
    history.update(2.5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1, momentum=0.9)
    checkpoint = dict(
        meta=dict(seed=1, epoch=np.int64(3), dataset_meta=dict(classes=('road',), palette=[[1, 2, 3]])),
        message_hub=dict(log_scalars={'train/loss': history}, runtime_info=dict(lr=np.float64(0.5), x=np.arange(3))),
        optimizer=optimizer.state_dict(),
        state_dict=dict(weight=torch.ones(2)),
    )
    torch.save(checkpoint, tmp_path / 'epoch_1.pth')
    read = read_checkpoint(tmp_path / 'epoch_1.pth')
    assert read['message_hub']['log_scalars']['train/loss'].mean() == 2.5
    assert read['meta']['epoch'] == 3


@pytest.mark.parametrize('way', [lambda p: read_checkpoint(p, trust=True), lambda p: read_checkpoint(f'trusted://{p}')])
def test_trust(way, tmp_path):
    torch.save(dict(a=Malicious(tmp_path / 'ran')), tmp_path / 'x.pth')
    way(tmp_path / 'x.pth')
    assert (tmp_path / 'ran').exists()


def test_a_raw_pickle_runs_nothing(tmp_path):
    for protocol in (0, 2, 4):
        (tmp_path / 'x.pkl').write_bytes(pickle.dumps(Malicious(tmp_path / 'ran'), protocol))
        with pytest.raises(InputError):
            read_checkpoint(tmp_path / 'x.pkl')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
@pytest.mark.parametrize('kept', [0.001, 0.1, 0.5, 0.99])
def test_a_truncated_file(tiny, tmp_path, zipped, kept):
    path = tmp_path / 'x.pth'
    torch.save(tiny[0].state_dict(), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    for trust in (False, True):
        with pytest.raises(InputError, match='x.pth is not a checkpoint, or a truncated one'):
            read_checkpoint(path, trust=trust)


def test_a_truncated_safetensors_file(tiny, tmp_path):
    path = tmp_path / 'x.safetensors'
    write_checkpoint(tiny[0].state_dict(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match='is not a safetensors file, or a truncated one'):
        read_checkpoint(path)


@pytest.mark.parametrize(
    'content, message',
    [
        (b'', r'is empty \(0 bytes\)'),
        (
            b'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
            'Git LFS pointer .*git lfs pull',
        ),
        (b'\n<!DOCTYPE html><html><body>Too many downloads', 'is a web page'),
        (b'\x00\x01\x02 not a checkpoint at all' * 20, 'is not a checkpoint'),
    ],
)
def test_what_is_no_checkpoint(tmp_path, content, message):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_checkpoint(tmp_path / 'x.pth')


@pytest.mark.parametrize(
    'value, message', [({}, 'empty dict'), (torch.ones(2), 'holds a Tensor'), ([1, 2], 'holds a list')]
)
def test_what_holds_no_weights(tmp_path, value, message):
    torch.save(value, tmp_path / 'x.pth')
    with pytest.raises(InputError, match=message):
        read_checkpoint(tmp_path / 'x.pth')


def test_no_read_permission(tmp_path, monkeypatch):
    path = tmp_path / 'x.pth'
    torch.save(dict(a=torch.ones(1)), path)
    if os.geteuid() == 0:  # to whom every file is readable
        monkeypatch.setattr('builtins.open', _denied)
    path.chmod(0)
    with pytest.raises(InputError, match='cannot read .*Permission denied'):
        read_checkpoint(path)


def _denied(path, *args):
    raise PermissionError(13, 'Permission denied', str(path))


def test_a_folder(tmp_path):
    with pytest.raises(InputError, match='cannot read .*Is a directory'):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_a_tensor_that_repeats_one_number(tmp_path, zipped):
    """A few kB for 4 TB; an expanded buffer of usual size is read."""
    for name, shape in (('bomb', (10**6, 10**6)), ('small', (1000, 1000))):
        value = {'a': [dict(b=torch.zeros(()).expand(shape))]}
        torch.save(value, tmp_path / f'{name}.pth', _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match='would take 4,000,000,000,000 in memory, more than 20 times'):
        read_checkpoint(tmp_path / 'bomb.pth')
    assert read_checkpoint(tmp_path / 'bomb.pth', trust=True) and read_checkpoint(tmp_path / 'small.pth')


@pytest.mark.parametrize(
    'tensor, form', [(torch.eye(2).to_sparse(), 'sparse_coo'), (torch.ones(2, device='meta'), 'without values')]
)
def test_tensors_that_no_model_takes(tmp_path, tensor, form):
    torch.save(dict(state_dict=dict(a=tensor)), tmp_path / 'x.pth')
    with pytest.raises(InputError, match=form):
        read_checkpoint(tmp_path / 'x.pth')


def test_a_meta_that_is_no_dict(tmp_path):
    torch.save(dict(meta='text', state_dict=dict(a=torch.ones(1))), tmp_path / 'x.pth')
    assert read_meta(tmp_path / 'x.pth', read_checkpoint(tmp_path / 'x.pth')) == {}
