"""Pipelines that name the step and file of an error, and check every label and image that they load."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import mmcv.transforms
import mmengine.dataset
import numpy as np

from ..errors import InputError
from .damaged_files import fault_at_a_glance
from .image_size_limit import fault_of_header
from .label_checks import CheckAnnotations, CutLabelError, check_label
from .step_errors import decoder_of, describe_error, is_loader, name_of_step, paths_of

# Steps of these packages change no number in a label; a step of another may, so labels are judged behind it.
KNOWN_PACKAGES = ('mmengine', 'mmcv', 'mmseg', 'repvgg_seg')
_INSIDE = ('transforms', 'subroutines', 'pipeline')  # where steps, theirs or a user's own, keep others


@dataclass(frozen=True)
class Checks:
    """What is known about the items of a data set.

    Attributes:
        place: of the pipeline in the config, for messages.
        item: what every item is given, such as `num_classes` and `ignored_labels`.
        labels: whether labels are checked where they are loaded.
        channels: of the images that the model takes; None where that is not known.
        most_empty: items in a row for which the pipeline may return None.
    """

    place: str = 'pipeline'
    item: Mapping[str, Any] = field(default_factory=dict)
    labels: bool = True
    channels: int | None = None
    most_empty: int | None = None


def check_pipeline(dataset: Any, checks: Checks) -> None:
    """Let the pipeline of a data set, changed in place, run with checks. Pipelines of other kinds than mmengine's stay."""
    pipeline: Any = getattr(dataset, 'pipeline', None)
    if isinstance(pipeline, list):  # that of mmseg's `MultiImageMixDataset`, whose items have been checked before
        dataset.pipeline = [
            step if isinstance(step, NamedStep) else NamedStep(step, f'{checks.place}.{i}')
            for i, step in enumerate(pipeline)
        ]
    if type(pipeline) not in (mmengine.dataset.Compose, CheckedPipeline):
        return
    steps = list(all_steps(pipeline.transforms))
    explicit = any(isinstance(step, CheckAnnotations) for step in steps)
    dataset.pipeline = CheckedPipeline(pipeline.transforms, replace(checks, labels=checks.labels and not explicit))


def remove_label_checks(dataset: Any) -> None:
    """Take `CheckAnnotations` out of the pipeline of a data set, in place, and out of those inside its steps."""
    pipeline: Any = getattr(dataset, 'pipeline', None)
    if isinstance(pipeline, mmengine.dataset.Compose):
        _remove_from(pipeline)


def _remove_from(pipeline: Any) -> None:
    pipeline.transforms = [step for step in pipeline.transforms if not isinstance(step, CheckAnnotations)]
    for step in pipeline.transforms:
        for _, inner in _inner_pipelines(step):
            _remove_from(inner)


def all_steps(steps: Iterable[Callable]) -> Iterator[Callable]:
    """The steps of a pipeline in order, those inside other steps included."""
    for step in steps:
        yield step
        for _, inner in _inner_pipelines(step):
            yield from all_steps(inner.transforms)


def steps_in(value: Any) -> Iterator[Any]:
    """Whatever a pipeline, a list or a step holds, itself included: steps, and the pipelines inside them."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from steps_in(item)
    elif isinstance(value, NamedStep):
        yield from steps_in(value.step)
    elif value is not None:
        yield value
        for name in _INSIDE:
            yield from steps_in(getattr(value, name, None))


def is_foreign(step: Any) -> bool:
    """Whether a step, or a class, comes from none of the packages whose steps are known."""
    owner = step if hasattr(step, '__name__') else type(step)
    return getattr(owner, '__module__', '').split('.')[0] not in KNOWN_PACKAGES


class CheckedPipeline(mmengine.dataset.Compose):
    """mmengine's `Compose`, with the same steps and results, and with checks of what passes through it.

    Args:
        transforms: the steps, already built.
        checks: what is known about the items.

    Raises:
        InputError: on use, where a step raises an error, a file is damaged, or a check fails; it names step and file.
    """

    def __init__(self, transforms: Iterable[Callable], checks: Checks) -> None:
        super().__init__([_with_inner_checks(step, checks, i) for i, step in enumerate(transforms)])
        self.checks = checks
        self.empty = 0

    def __call__(self, data: dict) -> dict | None:
        """The item that all steps make of `data`."""
        paths = paths_of(data)
        data = {**data, **self.checks.item} if isinstance(data, dict) else data
        results, step = run_steps(self.transforms, data, self.checks)
        if results is None:
            self._count_empty(name_of_step(step) if step else '', paths)
            return None
        self.empty = 0
        self._check_channels(results, paths)
        return results

    def _count_empty(self, step: str, paths: list[str]) -> None:
        self.empty += 1
        if self.checks.most_empty is not None and self.empty > self.checks.most_empty:
            raise InputError(
                f'{self.checks.place}: {step} returned None for {self.empty} images in a row, the last '
                f'{paths[0] if paths else "without a path"}; a step returns the item'
            )

    def _check_channels(self, results: Any, paths: list[str]) -> None:
        """Compare the channels of the inputs (C, H, W) with those of the model."""
        inputs = results.get('inputs') if isinstance(results, dict) else None
        first: Any = inputs[0] if isinstance(inputs, list) and inputs else inputs
        if self.checks.channels is None or getattr(first, 'ndim', 0) != 3 or first.shape[0] == self.checks.channels:
            return
        raise InputError(
            f'{paths[0] if paths else "an image"} comes out of {self.checks.place} with {first.shape[0]} channels, '
            f'the model takes {self.checks.channels}: color_type of LoadImageFromFile is '
            "'color' for 3, 'grayscale' for 1 and 'unchanged' for what each file has; mean and std of "
            'model.data_preprocessor have one value for each channel'
        )


class CheckedSteps(mmcv.transforms.Compose):
    """mmcv's `Compose`, the pipeline inside another step, with the same checks."""

    def __init__(self, transforms: Iterable[Callable], checks: Checks) -> None:
        super().__init__([_with_inner_checks(step, checks, i) for i, step in enumerate(transforms)])
        self.checks = checks

    def transform(self, results: dict) -> dict | None:
        """The item that all steps make of `results`."""
        return run_steps(self.transforms, results, self.checks)[0]


def run_steps(steps: list[Callable], results: Any, checks: Checks) -> tuple[Any, Callable | None]:
    """Run steps one after the other, and return what comes out, with the step that returned None, if one did.

    Raises:
        InputError: a step raises an error, or a check fails.
    """
    failed: InputError | None = None  # a wrong label, which a step behind may put right
    last_foreign = max((i for i, step in enumerate(steps) if is_foreign(step)), default=-1)
    for i, step in enumerate(steps):
        had = set(results) if isinstance(results, dict) else set()
        place = f'{checks.place}.{i}'
        results = run_step(step, place, results)
        if results is None:
            return None, step
        if not isinstance(results, dict):
            continue
        new = set(results) - had
        if 'img' in new:
            _check_image(results, step, place)
        if checks.labels and ('gt_seg_map' in new or (failed and i == last_foreign)):
            failed = _failure_of_label(results, geometry='gt_seg_map' in new)
            if failed and (i >= last_foreign or isinstance(failed, CutLabelError)):
                raise failed
    return results, None


def run_step(step: Callable, place: str, results: Any) -> Any:
    """What a step makes of an item.

    Raises:
        InputError: the step raises an error, or would decode a file of too many pixels; it names step and file.
    """
    if decoder_of(step) is not None:
        for path in paths_of(results, labels_first='Annotation' in name_of_step(step))[:1]:
            if fault := fault_of_header(path):
                raise InputError(f'{fault} ({place}, {name_of_step(step)})')
    try:
        return step(results)
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(describe_error(error, step, place, results)) from error


class NamedStep:
    """A step that names itself where it raises an error, and has the attributes of the step."""

    def __init__(self, step: Callable, place: str) -> None:
        self.step, self.place = step, place

    def __call__(self, results: Any) -> Any:
        return run_step(self.step, self.place, results)

    def __getattr__(self, name: str) -> Any:
        if name == 'step' or name.startswith('__'):  # while it is unpickled it has none yet
            raise AttributeError(name)
        return getattr(self.step, name)


def _failure_of_label(results: dict, geometry: bool) -> InputError | None:
    """What is wrong with a label; without `geometry` the size of its image is the present one."""
    try:
        if not geometry and isinstance(results.get('img'), np.ndarray):
            results = results | {'ori_shape': results['img'].shape[:2]}
        check_label(results)
    except InputError as error:
        return error
    return None


def _check_image(results: dict, step: Callable, place: str) -> None:
    """Refuse an image that is cut short or holds values that are no numbers."""
    image, paths = results['img'], paths_of(results)
    if paths and is_loader(step) and (fault := fault_at_a_glance(paths[0])):
        raise InputError(f'{fault} ({place}, {name_of_step(step)})')
    if isinstance(image, np.ndarray) and image.dtype.kind == 'f':
        finite = np.isfinite(image)
        if not finite.all():
            raise InputError(
                f'{paths[0] if paths else "an image"} holds {image.size - int(finite.sum())} values that are NaN or '
                f'infinite ({place}, {name_of_step(step)}): replace them in the file, or in a step of your own'
            )


def _inner_pipelines(step: Callable) -> Iterator[tuple[str, mmcv.transforms.Compose]]:
    """The pipelines that a step holds, alone or in a list, with the names of the attributes."""
    for name, value in getattr(step, '__dict__', {}).items():
        for inner in value if isinstance(value, (list, tuple)) else [value]:
            if type(inner) in (mmcv.transforms.Compose, CheckedSteps):
                yield name, inner


def _with_inner_checks(step: Callable, checks: Checks, number: int) -> Callable:
    """A step whose own pipelines, replaced in place, run with checks as well."""
    for name in {name for name, _ in _inner_pipelines(step)}:
        value = vars(step)[name]
        inner = replace(checks, place=f'{checks.place}.{number} ({name_of_step(step)})')
        if isinstance(value, (list, tuple)):
            pipelines = [CheckedSteps(one.transforms, inner) if _is_plain(one) else one for one in value]
            setattr(step, name, type(value)(pipelines))
        else:
            setattr(step, name, CheckedSteps(value.transforms, inner))
    return step


def _is_plain(value: object) -> bool:
    return type(value) in (mmcv.transforms.Compose, CheckedSteps)
