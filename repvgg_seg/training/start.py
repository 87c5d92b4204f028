"""How a run starts: whatever is raised before its first batch is told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import InputError
from ..evaluation.check_test_set import check_test_set
from ..measure.out_of_memory import is_out_of_memory
from .agreement.classes import check_classes_of_checkpoint
from .data_loaders import check_whole_batch
from .data_sets import build_data_sets, look_at_data_sets, prepare_data_sets
from .one_line_error import is_full_disk, is_lost_process, told_in_one_line
from .protections import is_disabled
from .runner import build_runner
from .sample_order_and_seeds import SampleOrderHook, seed_samples, start_workers_anew
from .stop_signals import saving_on_signals


def build(cfg: Config) -> Runner:
    """The Runner of a config.

    Raises:
        InputError: a part cannot be built, whatever mmengine raises for it.
    """
    with _start('building from the config'):
        return build_runner(cfg)


def train(runner: Runner) -> None:
    """Train; whatever is raised before the first iteration is told in one line.

    Raises:
        InputError: the run could not start.
    """
    begun = _Begun()
    runner.register_hook(begun)
    with _start('before iteration 1', begun):
        prepare_data_sets(runner, training=True)
        check_whole_batch(runner.train_dataloader)
        if not is_disabled(runner.cfg, 'RankSeedHook'):
            seed_samples(runner.train_dataloader, runner.seed)
            runner.register_hook(SampleOrderHook())
        start_workers_anew(runner.train_loop)
        with saving_on_signals(runner):
            runner.train()


def test(runner: Runner, checkpoint: str, meta: dict[str, Any] | None) -> dict[str, float]:
    """Test, and return the scores; whatever is raised before the first batch is told in one line.

    Args:
        runner: with weights loaded.
        checkpoint: the file that they came from.
        meta: what that file holds under `meta`: its classes are compared with those of the data set; None to leave that out.

    Raises:
        InputError: the test could not start.
    """
    begun = _Begun()
    runner.register_hook(begun)
    with _start('before the first batch', begun):
        loaders = build_data_sets(runner, training=False)
        check_classes_of_checkpoint(meta, runner.test_dataloader.dataset, checkpoint)
        check_test_set(runner.test_dataloader.dataset, runner.test_evaluator.metrics)
        look_at_data_sets(runner, loaders)
        scores: dict[str, float] = runner.test()
    return scores


class _Begun(Hook):
    """Notes that the first batch has come."""

    begun = False

    def before_train_iter(self, *args: Any, **kwargs: Any) -> None:
        self.begun = True

    before_test_iter = before_train_iter


@contextmanager
def _start(where: str, begun: _Begun | None = None) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        if begun is not None and begun.begun:
            if not is_out_of_memory(error) and not is_lost_process(error) and not is_full_disk(error):
                raise
            where = 'after the first batch'
        raise told_in_one_line(error, where) from error
