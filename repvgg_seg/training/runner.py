"""The Runner of a run."""

from mmengine.config import Config
from mmengine.runner import Runner

from ..evaluation.fast_drawing import draw_fast
from ..quiet import quiet_log


def build_runner(cfg: Config) -> Runner:
    """mmengine's Runner, which draws fast and keeps log lines that carry nothing from the screen (`repvgg_seg.quiet`)."""
    runner = Runner.from_cfg(cfg)
    quiet_log(runner.logger)
    draw_fast(runner.visualizer)
    return runner
