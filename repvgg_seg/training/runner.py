"""The Runner of a run."""

from mmengine.config import Config
from mmengine.runner import Runner

from ..quiet import quiet_log


def build_runner(cfg: Config) -> Runner:
    """mmengine's Runner, without the log lines on the screen that carry nothing (`repvgg_seg.quiet`)."""
    runner = Runner.from_cfg(cfg)
    quiet_log(runner.logger)
    return runner
