"""Config edits that write predictions as label PNGs."""

from typing import Any

from mmengine.config import Config
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS


def write_predictions(cfg: Config, folder: str, score: bool) -> None:
    """Edit a config, in place, so that a test writes its predictions.

    mmseg's `CityscapesDataset` and its subclasses get the official label ids of Cityscapes, as its server wants them; any
    other data set gets class numbers.

    Args:
        cfg: config of a segmentor.
        folder: where the PNGs go; it has to be empty.
        score: whether the predictions are scored as well. Otherwise no labels are needed.
    """
    if not score:
        dataset = cfg.test_dataloader.dataset
        dataset.data_prefix.pop('seg_map_path', None)
        dataset.pipeline = _without_labels(dataset.pipeline)
        cfg.test_evaluator.format_only = True
    if _is_cityscapes(cfg.test_dataloader.dataset.type):
        official = dict(type='CityscapesMetric', output_dir=folder, format_only=True, keep_results=True)
        cfg.test_evaluator = [cfg.test_evaluator, official] if score else official
    else:
        cfg.test_evaluator.output_dir = folder


def _is_cityscapes(dataset: str | type) -> bool:
    """Whether the type of a data set, a registered name or the class itself, is Cityscapes or derived from it."""
    found = DATASETS.get(dataset) if isinstance(dataset, str) else dataset
    return isinstance(found, type) and issubclass(found, CityscapesDataset)


def _without_labels(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A pipeline without the steps that load labels, those inside its test-time augmentation included."""
    steps = [step for step in pipeline if step['type'] != 'LoadAnnotations']
    for step in steps:
        if step['type'] == 'TestTimeAug':
            step['transforms'] = [s for s in map(_without_labels, step['transforms']) if s]
    return steps
