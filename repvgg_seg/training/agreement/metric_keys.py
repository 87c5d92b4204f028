"""Names of the scores, and the hooks that choose by one of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook
from mmengine.logging import print_log

from ...errors import InputError

# Of mmseg's IoUMetric and our TopKAccuracy; all of them are the better the greater.
_GREATER_IS_BETTER = ('mIoU', 'mAcc', 'aAcc', 'mDice', 'mFscore', 'mPrecision', 'mRecall', 'top1', 'top5')


def check_metric_keys(scores: Mapping[str, Any], hooks: Iterable[Hook]) -> None:
    """Compare the scores that an evaluation gave with those that hooks wait for.

    Raises:
        InputError: `save_best` of a CheckpointHook or `monitor` of an EarlyStoppingHook is none of the scores.
    """
    for hook in hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best:
            for key in hook.key_indicators:
                _check(key, scores, 'default_hooks.checkpoint.save_best')
        if isinstance(hook, EarlyStoppingHook):
            _check(hook.monitor, scores, 'monitor of the EarlyStoppingHook')


def _check(key: str, scores: Mapping[str, Any], setting: str) -> None:
    if key == 'auto' and scores:
        print_log(f"{setting}='auto' takes {next(iter(scores))}, the first of {', '.join(scores)}", 'current')
    elif key not in scores and 'loss' not in key:  # losses of a validation come from the loop
        given = f'the scores are {", ".join(scores)}' if scores else 'the evaluation gives no score'
        raise InputError(f'{setting} is {key!r}, and {given}: name one of them, or change the metrics of val_evaluator')


def check_rules(cfg: Config) -> None:
    """Check `save_best`, `monitor` and `rule` in a config, before mmengine builds the hooks.

    Raises:
        InputError: a rule that mmengine cannot infer, or one that would keep the worst.
    """
    hooks = {f'default_hooks.{name}': hook for name, hook in (cfg.get('default_hooks') or {}).items()}
    hooks |= {f'custom_hooks.{i}': hook for i, hook in enumerate(cfg.get('custom_hooks') or [])}
    for path, hook in hooks.items():
        kind = hook.get('type') if isinstance(hook, dict) else None
        keys = None
        if kind in ('CheckpointHook', 'SafeCheckpointHook', CheckpointHook):
            keys = hook.get('save_best')
        elif kind in ('EarlyStoppingHook', EarlyStoppingHook):
            keys = hook.get('monitor')
        if keys:
            _check_rules(hook, keys, path)


def _check_rules(hook: Mapping[str, Any], keys: str | list[str], path: str) -> None:
    keys = [keys] if isinstance(keys, str) else list(keys)
    rules = hook.get('rule')
    rules = [rules] * len(keys) if rules is None or isinstance(rules, str) else list(rules)
    if len(rules) == 1:
        rules = rules * len(keys)
    if len(rules) != len(keys):
        raise InputError(f'{path}.rule has {len(rules)} rules for {len(keys)} scores: give one, or one a score')
    for key, rule in zip(keys, rules, strict=True):
        if rule not in (None, 'greater', 'less'):
            raise InputError(f"{path}.rule is {rule!r}: allowed are 'greater' and 'less'")
        if rule == 'less' and key.rpartition('/')[2] in _GREATER_IS_BETTER:
            raise InputError(
                f"{path}.rule is 'less', which keeps the worst {key}: set --cfg-options {path}.rule=greater"
            )
        if rule is None and key != 'auto' and not _inferred(hook, key):
            raise InputError(
                f'{path}: mmengine does not know whether a greater {key!r} is better: set {path}.rule=greater or less'
            )


def _inferred(hook: Mapping[str, Any], key: str) -> bool:
    """Whether mmengine infers a rule for a score."""
    known = {name: hook[name] for name in ('greater_keys', 'less_keys') if name in hook}
    try:
        CheckpointHook(save_best=key, **known)
    except ValueError:
        return False
    return True
