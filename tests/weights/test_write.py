import resource

import pytest
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.weights.read import read_checkpoint
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


def test_a_safetensors_file_holds_the_tensors_alone(tiny, tmp_path):
    state = tiny[0].state_dict()
    write_checkpoint(dict(meta=dict(iter=3), state_dict=state), tmp_path / 'x.safetensors')
    read = read_checkpoint(tmp_path / 'x.safetensors')
    assert read.keys() == state.keys() and all(torch.equal(read[name], state[name]) for name in state)


def test_no_folder_to_write_to(tmp_path):
    with pytest.raises(InputError, match='cannot write .*No such file or directory'):
        write_checkpoint(dict(a=torch.ones(3)), tmp_path / 'none' / 'x.pth')


def test_written_files_have_the_usual_mode(tmp_path):
    (tmp_path / 'usual').touch()
    write_checkpoint(dict(a=torch.ones(3)), tmp_path / 'x.pth')
    assert (tmp_path / 'x.pth').stat().st_mode == (tmp_path / 'usual').stat().st_mode
