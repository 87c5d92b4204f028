import pytest
import torch

from repvgg_seg.training.one_line_error import told_in_one_line


def raised(error):
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    'error, told',
    [
        (RuntimeError('two\n  lines'), 'here: RuntimeError: two lines (test_one_line_error.py, line '),
        (KeyError(), 'here: KeyError: no message ('),
        (
            torch.OutOfMemoryError('CUDA out of memory. Tried to allocate'),
            'set a smaller batch_size of the loader or a smaller',
        ),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 'a smaller crop_size'),
        (MemoryError(), 'a smaller crop_size'),
        (ValueError('Expected more than 1 value per channel when training, got'), 'train_dataloader.batch_size=2'),
        (RuntimeError('CUDA error: device-side assert triggered'), 'CUDA_VISIBLE_DEVICES=""'),
        (
            RuntimeError('[pair.cc:553] Connection closed by peer [127.0.0.1]:28083. This is typically caused by'),
            'another process of this run has ended: its own error says why, or it was killed',
        ),
        (RuntimeError('x' * 1000), 'x' * 400 + ' ...'),
    ],
)
def test_one_line(error, told):
    message = str(told_in_one_line(raised(error), 'here'))
    assert told in message and '\n' not in message and len(message) < 700
    assert 'the traceback is in' not in message, 'there is no log file here'
