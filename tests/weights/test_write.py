import resource

import numpy as np
import pytest
import safetensors.torch
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.weights.read import read_checkpoint, read_meta
from repvgg_seg.weights.write import write_checkpoint


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A limit on the size of files stands for the end of the disk: the write fails in the middle, in the system."""
    for name in ('x.pth', 'x.safetensors'):
        path = tmp_path / name
        write_checkpoint(dict(a=torch.ones(3)), path)
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(InputError, match=f'cannot write .*{name}.*nothing was replaced'):
                write_checkpoint(dict(a=torch.randn(100_000)), path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ['x.pth', 'x.safetensors']


def test_a_safetensors_file_holds_the_tensors_and_what_json_can_hold_of_meta(tiny, tmp_path):
    state, path = tiny[0].state_dict(), tmp_path / 'x.safetensors'
    dataset_meta = dict(
        classes=('traffic light', 'Stra\u00dfe'), palette=np.array([[1, 2, 3], [4, 5, 6]]), label_map=None
    )
    meta = dict(iter=np.int64(3), dataset_meta=dataset_meta, seed=None, hook=object())
    write_checkpoint(dict(meta=meta, optimizer=dict(state={}), state_dict=state), path)
    found = read_checkpoint(path)
    expected = dict(classes=['traffic light', 'Stra\u00dfe'], palette=[[1, 2, 3], [4, 5, 6]], label_map=None)
    assert read_meta(path, found) == dict(iter=3, dataset_meta=expected, seed=None)
    elsewhere = safetensors.torch.load_file(path)  # by any other reader
    for read in (found, elsewhere):
        assert read.keys() == state.keys() and all(torch.equal(read[name], state[name]) for name in state)


def test_a_safetensors_file_of_tensors_alone_is_read_as_such(tmp_path):
    state = dict(a=torch.ones(2))
    safetensors.torch.save_file(state, tmp_path / 'other.safetensors', dict(format='pt', meta='{"x": 1}', author='x'))
    write_checkpoint(state, tmp_path / 'ours.safetensors')
    for name in ('other', 'ours'):
        found = read_checkpoint(tmp_path / f'{name}.safetensors')
        assert found.keys() == {'a'} and read_meta(tmp_path / f'{name}.safetensors', found) == {}


def test_no_folder_to_write_to(tmp_path):
    with pytest.raises(InputError, match='cannot write .*No such file or directory'):
        write_checkpoint(dict(a=torch.ones(3)), tmp_path / 'none' / 'x.pth')


def test_written_files_have_the_usual_mode(tmp_path):
    (tmp_path / 'usual').touch()
    write_checkpoint(dict(a=torch.ones(3)), tmp_path / 'x.pth')
    assert (tmp_path / 'x.pth').stat().st_mode == (tmp_path / 'usual').stat().st_mode
