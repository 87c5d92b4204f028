"""Writing files, also where the system is not the one of the developers."""

import errno
import os

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.files import check_folder_takes_files, named_errors, replacing


def test_only_a_file_that_is_open_for_writing_is_synced(tmp_path, monkeypatch):
    """As Windows has it: any other handle is a bad file descriptor."""
    fcntl = pytest.importorskip('fcntl')
    synced = []

    def fsync(handle):
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, 'Bad file descriptor')
        synced.append(handle)

    monkeypatch.setattr(os, 'fsync', fsync)
    with replacing(tmp_path / 'ö.json') as temporary:
        temporary.write_text('{}', encoding='utf-8')
    assert synced and (tmp_path / 'ö.json').read_text(encoding='utf-8') == '{}'


def test_an_error_of_writing_names_the_file(tmp_path):
    with (
        pytest.raises(InputError, match=r'cannot write .*b\.png: No such file'),
        named_errors(tmp_path / 'a' / 'b.png') as path,
    ):
        path.write_bytes(b'')


def test_a_folder_is_tried(tmp_path):
    check_folder_takes_files(tmp_path)
    assert not list(tmp_path.iterdir())
    for wrong in (tmp_path / 'none', '/proc'):
        with pytest.raises(OSError):
            check_folder_takes_files(wrong)
