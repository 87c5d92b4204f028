"""Predictions as label PNGs: who writes them, and with which label ids."""

from typing import Any

from mmengine.config import Config


def write_predictions(cfg: Config, folder: str, score: bool) -> None:
    """Edit a config, in place, so that a test writes its predictions.

    Cityscapes gets the official label ids, as its server wants them; any other data set gets class numbers.

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
    if cfg.test_dataloader.dataset.type == 'CheckedCityscapesDataset':
        official = dict(type='CityscapesMetric', output_dir=folder, format_only=True, keep_results=True)
        cfg.test_evaluator = [cfg.test_evaluator, official] if score else official
    else:
        cfg.test_evaluator.output_dir = folder


def _without_labels(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A pipeline without the steps that load labels, those inside its test-time augmentation included."""
    steps = [step for step in pipeline if step['type'] != 'LoadAnnotations']
    for step in steps:
        if step['type'] == 'TestTimeAug':
            step['transforms'] = [s for s in map(_without_labels, step['transforms']) if s]
    return steps
