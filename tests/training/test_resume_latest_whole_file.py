"""Which checkpoint a run goes on from."""

import os
import shutil

import pytest
import torch

from repvgg_seg.training.resume_latest_whole_file import fault_of_checkpoint, latest_checkpoint, write_last_named


@pytest.fixture
def work(tmp_path):
    """A work dir with the checkpoints of iterations 9, 10 and 2, the last of them written last, and what is none of them."""
    folder = tmp_path / 'work'
    folder.mkdir()
    for time, name in enumerate(
        ['iter_9.pth', 'iter_10.pth', 'iter_2.pth', 'best_mIoU_iter_11.pth', 'iter_12-0123abcd.pth']
    ):
        torch.save(dict(weights=torch.arange(5000.0)), folder / name)
        os.utime(folder / name, (time, time))
    (folder / '.iter_13.pth.abcdefgh.pth').touch()
    return folder


@pytest.mark.parametrize('named, latest', [
    (None, 'iter_10.pth'),  # by the number, neither by the time nor by the letters
    ('', 'iter_10.pth'),  # cut short
    ('iter_9.pth', 'iter_9.pth'),  # a run that went on from an earlier one
    ('/elsewhere/work/iter_9.pth', 'iter_9.pth'),  # the folder was moved
    ('work_dirs/work/iter_9.pth', 'iter_9.pth'),
    ('{original}/iter_9.pth', 'iter_9.pth'),  # the folder is a copy
    ('iter_8.pth', 'iter_10.pth'),  # it is gone
    ('/elsewhere/iter_8.pth', 'iter_10.pth'),
])  # fmt: skip
def test_the_latest(work, tmp_path, named, latest):
    copy = tmp_path / 'copy'
    shutil.copytree(work, copy)
    if named is not None:
        (copy / 'last_checkpoint').write_text(named.format(original=work))
    assert latest_checkpoint(str(copy)) == str(copy / latest)


def test_order_of_epochs(tmp_path):
    """A checkpoint within epoch 3 is later than that of epoch 2, and earlier than that of epoch 3."""
    torch.save({'a': 1}, tmp_path / 'epoch_2.pth')
    shutil.copy(tmp_path / 'epoch_2.pth', tmp_path / 'epoch_2_iter_25.pth')
    assert latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_2_iter_25.pth')
    shutil.copy(tmp_path / 'epoch_2.pth', tmp_path / 'epoch_3.pth')
    assert latest_checkpoint(str(tmp_path)) == str(tmp_path / 'epoch_3.pth')


DAMAGES = dict(
    empty=lambda content: b'',
    half=lambda content: content[: len(content) // 2],
    no_end=lambda content: content[:-1],
    zeros=lambda content: content[:9000] + bytes(2000) + content[11000:],
    a_bit=lambda content: content[:9000] + bytes([content[9000] ^ 1]) + content[9001:],
    all_zeros=lambda content: bytes(len(content)),
)


@pytest.mark.parametrize('damage', DAMAGES)
def test_what_is_not_whole_is_passed_over(work, damage, logged):
    path = work / 'iter_10.pth'
    write_last_named(str(work), str(path))
    assert (work / 'last_checkpoint').read_text() == 'iter_10.pth', 'relative'
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert latest_checkpoint(str(work)) == str(work / 'iter_9.pth')
    (line,) = logged().splitlines()
    assert line.startswith(f'passed over {path}: it is ') and 'damaged' in line


def test_formats(tmp_path):
    path = tmp_path / 'old.pth'
    torch.save({'a': torch.ones(1)}, path, _use_new_zipfile_serialization=False)
    assert fault_of_checkpoint(str(path)) == ''
    assert fault_of_checkpoint(str(tmp_path / 'none.pth')) == 'there is no such file'
