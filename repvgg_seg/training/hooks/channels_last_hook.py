"""Training with the channels of a feature map side by side in memory."""

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from ...models.memory_format import to_channels_last


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """`to_channels_last`, for where the convs want it: on a CPU, and in half precision on a GPU."""

    def before_train(self, runner) -> None:
        to_channels_last(runner.model)
