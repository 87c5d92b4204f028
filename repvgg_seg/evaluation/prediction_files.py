"""Config edits that write predictions as label PNGs and as pictures."""

import inspect
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.visualization import LocalVisBackend, Visualizer
from mmseg.evaluation import CityscapesMetric, IoUMetric
from mmseg.registry import DATASETS, METRICS, TRANSFORMS, VISBACKENDS, VISUALIZERS

from ..data.step_errors import loads_labels
from ..data.wrapped_datasets import inner_configs
from ..errors import InputError
from .iou_metric import StreetIoUMetric


def write_predictions(cfg: Config, folder: str, score: bool) -> None:
    """Edit a config, in place, so that a test writes its predictions by `WriteLabelsHook`.

    Args:
        cfg: config of a segmentor.
        folder: where the PNGs go; it has to be empty.
        score: whether the predictions are scored as well. Otherwise no labels are needed.
    """
    _add_hook(cfg, dict(type='WriteLabelsHook', folder=folder))
    if not score:
        cfg.test_evaluator = []  # a metric may need labels
        for dataset in inner_configs(cfg.test_dataloader.dataset):
            _leave_out_labels(dataset)


def write_what_metrics_write(cfg: Config) -> None:
    """Edit a config, in place, so that `WriteLabelsHook` writes what mmseg's metrics write into their `output_dir`.

    They name a file after the base name of its image, so that `a/000` and `b/000` become one. A metric derived from
    mmseg's that processes predictions in its own way is left as it is.

    Args:
        cfg: config of a segmentor.
    """
    kept = []
    for metric in metrics_of(cfg.test_evaluator):
        cls, folder = class_of(metric, METRICS), metric.get('output_dir')
        by_class = getattr(cls, 'process', None) in (IoUMetric.process, StreetIoUMetric.process)
        official = getattr(cls, 'process', None) is CityscapesMetric.process and metric.get('format_only', False)
        if folder and (by_class or official):
            _add_hook(cfg, dict(type='WriteLabelsHook', folder=folder, official=official))
            metric.pop('output_dir')
            if official or metric.get('format_only'):
                continue  # it does nothing else
        kept.append(metric)
    if isinstance(cfg.test_evaluator, dict) and 'metrics' in cfg.test_evaluator:
        cfg.test_evaluator['metrics'] = kept
    elif isinstance(cfg.test_evaluator, list) or not kept:
        cfg.test_evaluator = kept


def draw_predictions(cfg: Config, folder: str | None, show: bool, wait_time: float) -> None:
    """Edit a config, in place, so that a test draws its predictions by `DrawPredictionsHook`.

    The visualizer stays, with its backends, except mmengine's `LocalVisBackend`, which `PictureVisBackend` replaces.

    Args:
        cfg: config of a segmentor.
        folder: where the pictures go; None to keep none.
        show: show them on the screen.
        wait_time: seconds that each is shown.

    Raises:
        InputError: the visualizer of the config draws no predictions.
    """
    visualizer = cfg.get('visualizer') or dict(type='SegLocalVisualizer', name='visualizer')
    cls = class_of(visualizer, VISUALIZERS)
    if getattr(cls, 'add_datasample', None) is Visualizer.add_datasample:
        raise InputError(f'{visualizer["type"]} draws no predictions: set visualizer.type=SegLocalVisualizer')
    given = visualizer.get('vis_backends') or []
    backends = [given] if isinstance(given, dict) else list(given)
    others = [backend for backend in backends if class_of(backend, VISBACKENDS) is not LocalVisBackend]
    pictures = [dict(type='PictureVisBackend', pictures=folder)] if folder else []
    cfg.visualizer = dict(visualizer, vis_backends=[*others, *pictures] if folder else [])
    hooks = cfg.get('default_hooks') or {}
    hook = dict(type='DrawPredictionsHook', folder=folder, show=show, wait_time=wait_time)
    cfg.default_hooks = dict(hooks, visualization=hook)


def _add_hook(cfg: Config, hook: dict[str, Any]) -> None:
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def metrics_of(evaluator: Any) -> Iterator[Any]:
    """The configs of the metrics of an evaluator, given as one, as a list, or as a dict with `metrics`."""
    if isinstance(evaluator, (list, tuple)):
        for part in evaluator:
            yield from metrics_of(part)
    elif isinstance(evaluator, dict) and 'metrics' in evaluator:
        yield from metrics_of(evaluator['metrics'])
    else:
        yield evaluator


def class_of(value: dict[str, Any], registry: Registry) -> Any:
    """The class that a config builds, named or given as such."""
    kind = value.get('type')
    return registry.get(kind) if isinstance(kind, str) else kind


def _leave_out_labels(dataset: dict[str, Any]) -> None:
    """Take the labels out of the config of one data set."""
    prefix = dataset.get('data_prefix') or _default(class_of(dataset, DATASETS), 'data_prefix')
    if isinstance(prefix, dict):
        dataset['data_prefix'] = {key: value for key, value in prefix.items() if key != 'seg_map_path'}
    if 'pipeline' in dataset:
        dataset['pipeline'] = without_labels(dataset['pipeline'])


def _default(cls: Any, argument: str) -> Any:
    """The default value of an argument of a class, declared by it or by one that it is derived from; None without one."""
    for base in inspect.getmro(cls) if inspect.isclass(cls) else ():
        declared = inspect.signature(vars(base)['__init__']).parameters if '__init__' in vars(base) else {}
        if argument in declared:
            default = declared[argument].default
            return None if default is inspect.Parameter.empty else default
    return None


def without_labels(pipeline: list[Any]) -> list[Any]:
    """A pipeline without the steps that load labels, those inside of other steps included."""
    steps = []
    for step in pipeline:
        if isinstance(step, (list, tuple)):
            step = without_labels(list(step))
            if not step:
                continue
        elif isinstance(step, dict):
            if loads_labels(class_of(step, TRANSFORMS)):
                continue
            if isinstance(step.get('transforms'), (list, tuple)):
                step = dict(step, transforms=without_labels(list(step['transforms'])))
        steps.append(step)
    return steps
