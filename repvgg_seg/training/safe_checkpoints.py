"""Puts the hook that loses no checkpoint in the place of mmengine's."""

from mmengine.config import Config
from mmengine.hooks import CheckpointHook

_OF_MMENGINE = ('CheckpointHook', 'mmengine.CheckpointHook', CheckpointHook)


def use_safe_checkpoints(cfg: Config) -> None:
    """Let a config save with `SafeCheckpointHook`, with the same arguments. Where it has a subclass of its own, or None, that stays."""
    cfg.default_hooks = cfg.get('default_hooks') or {}
    cfg.default_hooks.setdefault('checkpoint', dict(type='CheckpointHook'))
    for hook in [*cfg.default_hooks.values(), *(cfg.get('custom_hooks') or [])]:
        if isinstance(hook, dict) and hook.get('type') in _OF_MMENGINE:
            hook['type'] = 'SafeCheckpointHook'
