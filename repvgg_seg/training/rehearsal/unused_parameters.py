"""Several processes that train a model of which some parameters get no gradient."""

import logging

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.logging import print_log
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import Runner

from ...errors import InputError


def expect_unused_parameters(runner: Runner, unused: list[str]) -> None:
    """Let `MMDistributedDataParallel` look in every iteration for parameters without a gradient, where a process has some.

    Otherwise the processes wait for these gradients in iteration 2. Every process has to call this.

    Args:
        runner: its model is wrapped anew where that is needed; one that looks for them already, or has another wrapper, stays.
        unused: the names of those of this process.

    Raises:
        InputError: the model is compiled in its wrapper, which would be lost.
    """
    wrapper = runner.model
    if get_world_size() == 1 or type(wrapper) is not MMDistributedDataParallel:
        return
    somewhere = torch.tensor(len(unused), device=next(wrapper.parameters()).device)
    all_reduce(somewhere, 'max')
    if not somewhere or wrapper.find_unused_parameters or wrapper.static_graph:
        return
    if runner.cfg.get('compile'):
        raise InputError(
            'some parameters get no gradient, and several processes wait for all: set find_unused_parameters=True'
        )
    given = dict(runner.cfg.get('model_wrapper_cfg') or dict(broadcast_buffers=False))
    runner.model = runner.wrap_model(given | dict(find_unused_parameters=True), wrapper.module)
    print_log(
        'find_unused_parameters=True from now on: the processes do not wait for gradients that never come',
        'current',
        logging.WARNING,
    )
