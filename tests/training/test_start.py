"""Errors of a run, before its first batch and after it."""

import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.training.start import _Begun, _start


@pytest.mark.parametrize(
    'error, begun, raised, told',
    [
        (ValueError('a'), False, InputError, 'here: ValueError: a'),
        (ValueError('a'), True, ValueError, '^a$'),
        (MemoryError('a'), True, InputError, 'after the first batch: MemoryError: a'),
        (
            RuntimeError('[pair.cc] Connection closed by peer'),
            True,
            InputError,
            'another process of this run has ended',
        ),
        (RuntimeError('NCCL: remote process exited or'), False, InputError, 'another process of this run has ended'),
        (InputError('what came'), True, InputError, '^what came$'),
    ],
)
def test_what_is_told_in_one_line(error, begun, raised, told):
    hook = _Begun()
    hook.begun = begun
    with pytest.raises(raised, match=told) as caught, _start('here', hook):
        raise error
    assert type(caught.value) is raised
