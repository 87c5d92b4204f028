import io
import sys

import pytest
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader

from repvgg_seg.cli.exit import exit_on_input_error
from repvgg_seg.data.label_checks import CutLabelError
from repvgg_seg.errors import InputError
from repvgg_seg.training.one_line_error import told_in_one_line


class Broken:
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise self.error('b.png: what came; what to do')


@pytest.mark.parametrize('error', [InputError, CutLabelError])
@pytest.mark.parametrize('workers', [0, 1])
def test_one_line_and_status_2_wherever_it_was_raised(capsys, workers, error):
    @exit_on_input_error
    def main():
        list(DataLoader(Broken(error), num_workers=workers))

    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == 'error: b.png: what came; what to do\n'


def test_the_traceback_of_an_error_behind_it_is_in_the_log_file(tmp_path, capsys):
    logger = MMLogger.get_instance('behind', log_file=str(tmp_path / 'run.log'))

    @exit_on_input_error
    def main():
        try:
            raise KeyError('nokey')
        except KeyError as error:
            raise InputError('step 3 failed') from error

    with pytest.raises(SystemExit):
        main()
    logger.handlers[-1].flush()
    assert "KeyError: 'nokey'" in (tmp_path / 'run.log').read_text()
    assert capsys.readouterr().err == 'error: step 3 failed\n'


def test_a_traceback_stands_in_the_log_file_once(tmp_path, capsys):
    logger = MMLogger.get_instance('once', log_file=str(tmp_path / 'run.log'))

    @exit_on_input_error
    def main():
        try:
            raise KeyError('nokey')
        except KeyError as error:
            raise told_in_one_line(error, 'step 3') from error

    with pytest.raises(SystemExit):
        main()
    logger.handlers[-1].flush()
    assert (tmp_path / 'run.log').read_text().count("KeyError: 'nokey'") == 1
    assert "error: step 3: KeyError: 'nokey'" in capsys.readouterr().err


def test_what_main_returns():
    assert exit_on_input_error(lambda x: x + 1)(1) == 2


@pytest.mark.parametrize(
    'error', [ZeroDivisionError(), TypeError("A.__init__() got an unexpected keyword argument 'b'"), KeyError('a')]
)
def test_an_error_of_the_code_keeps_its_traceback(error):
    @exit_on_input_error
    def main():
        raise error

    with pytest.raises(type(error)):
        main()


def test_a_screen_that_lacks_a_letter(monkeypatch):
    """As the console of a Western Windows: the letter is escaped, and the tool goes on."""
    screen = io.TextIOWrapper(io.BytesIO(), encoding='cp1252')
    monkeypatch.setattr(sys, 'stdout', screen)

    @exit_on_input_error
    def main():
        print('wrote 图.png')
        sys.stdout.flush()

    main()
    assert screen.buffer.getvalue().rstrip() == b'wrote \\u56fe.png'
