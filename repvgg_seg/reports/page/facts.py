"""The tables of a page: what runs are, how they differ, what they reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..record import initialised_from, training_facts
from ..runs.run import Run
from .line_plot import number_in_words

NOTHING = '–'  # in a cell without a value
_MOST_DIFFERENCES = 200


@dataclass
class Table:
    """A table of a page: the first cell of a row is its heading.

    Attributes:
        caption: what it shows.
        header: the heading of every column.
        rows: cells, as many as the header has.
        note: a sentence below it.
    """

    caption: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    note: str = ''


def look_up(config: Any, *keys: str | int) -> Any:
    """A value in nested dicts and lists; None where there is none."""
    for key in keys:
        if isinstance(config, Mapping):
            config = config.get(key)
        elif isinstance(config, (list, tuple)) and isinstance(key, int) and key < len(config):
            config = config[key]
        else:
            return None
    return config


def what_was_trained(runs: Sequence[Run]) -> Table:
    """The facts of each run in a column."""
    columns = [_facts(run) for run in runs]
    table = Table('What was trained on what', ['', *(run.name for run in runs)])
    for name in dict.fromkeys(name for column in columns for name in column):
        table.rows.append([name, *(column.get(name) or NOTHING for column in columns)])
    return table


def _facts(run: Run) -> dict[str, str]:
    config = run.config or {}
    record = next((record for record, _ in run.records.values()), {})
    training = record.get('training') or (training_facts(run.meta) if run.meta else {})
    backbone = look_up(config, 'model', 'backbone') or look_up(config, 'model')
    arch = look_up(backbone, 'arch')
    network = [
        look_up(config, 'model', 'type') if look_up(config, 'model', 'backbone') else '',
        look_up(backbone, 'type'),
    ]
    data = _innermost(look_up(config, 'train_dataloader', 'dataset'))
    optimizer = look_up(config, 'optim_wrapper', 'optimizer') or training.get('optimizer')
    iterations, epochs = look_up(config, 'train_cfg', 'max_iters'), look_up(config, 'train_cfg', 'max_epochs')
    schedule = look_up(config, 'param_scheduler') or training.get('schedule') or []
    reached = run.curves.last_iteration
    facts = {
        'network': ' on '.join(str(part) for part in network if part),
        'architecture': '' if arch is None else _short(arch),
        'block': _short(look_up(backbone, 'block')),
        'output stride': _short(look_up(backbone, 'output_stride')),
        'head': _short(look_up(config, 'model', 'decode_head', 'type')),
        'data set': _short(look_up(data, 'type')),
        'data root': _short(look_up(data, 'data_root')),
        'classes': _short(
            look_up(config, 'model', 'decode_head', 'num_classes') or look_up(config, 'model', 'num_classes')
        ),
        'planned': f'{iterations} iterations' if iterations else f'{epochs} epochs' if epochs else '',
        'reached': '' if reached is None else f'iteration {reached}{_state(run, iterations)}',
        'batch size': _batch(config, training, run),
        'optimizer': _optimizer(optimizer),
        'learning rate': ', '.join(
            str(part.get('type'))
            for part in (schedule if isinstance(schedule, (list, tuple)) else [schedule])
            if isinstance(part, Mapping)
        ),
        'mixed precision': 'yes' if 'Amp' in str(look_up(config, 'optim_wrapper', 'type')) else 'no' if config else '',
        'initialised from': _short(initialised_from(config) or training.get('initialised_from')),
        'seed': _short(_first(run.meta.get('seed'), training.get('seed'), look_up(config, 'randomness', 'seed'))),
        'sessions': f'{len(run.curves.sessions)}' if run.curves.sessions else '',
        'checkpoint': run.checkpoint.name if run.checkpoint else _short((record.get('checkpoint') or {}).get('name')),
    }
    return {name: value for name, value in facts.items() if value}


def _state(run: Run, planned: Any) -> str:
    """Whether a run of iterations has come to its end, as far as its log says."""
    reached = run.curves.last_iteration or 0
    if not isinstance(planned, int) or reached >= planned:
        return ''
    return f' of {planned}: it goes on, or was stopped'


def _batch(config: Mapping[str, Any], training: Mapping[str, Any], run: Run) -> str:
    size = look_up(config, 'train_dataloader', 'batch_size') or training.get('batch_size')
    processes = run.started.get('processes')
    return '' if not size else f'{size} on each of {processes} processes' if processes and processes > 1 else f'{size}'


def _optimizer(optimizer: Any) -> str:
    if not isinstance(optimizer, Mapping):
        return ''
    return ', '.join([str(optimizer.get('type')), *(f'{k} {v}' for k, v in optimizer.items() if k != 'type')])


def _innermost(dataset: Any) -> Any:
    """The first data set inside of wrappers."""
    for _ in range(8):
        inner = look_up(dataset, 'dataset') or look_up(dataset, 'datasets', 0)
        if not inner:
            return dataset
        dataset = inner
    return dataset


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _short(value: Any) -> str:
    if value is None:
        return ''
    text = ', '.join(f'{k} {v}' for k, v in value.items()) if isinstance(value, Mapping) else str(value)
    return text if len(text) <= 160 else text[:157] + '...'


def scores(runs: Sequence[Run]) -> Table:
    """A row for each form that was scored."""
    # The fused form first.
    rows = [
        (run, form, run.records[form][0])
        for run in runs
        for form in sorted(run.records, key=lambda form: form != 'fused')
    ]
    names = list(dict.fromkeys(name for _, _, record in rows for name in record['metrics']))
    names = sorted(names, key=lambda name: (name != 'mIoU', name != 'top1'))
    table = Table('Scores, in percent', ['run', 'form', *names, 'images', 'of the set for', 'checkpoint', 'scored on'])
    for run, form, record in rows:
        values = [record['metrics'].get(name) for name in names]
        environment = record.get('environment') or {}
        table.rows.append(
            [
                run.name,
                form,
                *(f'{value:.2f}' if isinstance(value, (int, float)) else NOTHING for value in values),
                str(record.get('images', NOTHING)),
                str(record.get('split', 'test')),
                _short((record.get('checkpoint') or {}).get('name')) or NOTHING,
                str(environment.get('device', NOTHING)),
            ]
        )
    return table


def config_differences(runs: Sequence[Run]) -> Table:
    """The keys of configs whose values differ; no rows for fewer than two configs."""
    known = [run for run in runs if run.config is not None]
    table = Table('Differences of the configs', ['key', *(run.name for run in known)])
    if len(known) < 2:
        return table
    flat = [_flat(run.config) for run in known]
    keys = sorted(dict.fromkeys(key for values in flat for key in values))
    differing = [key for key in keys if len({values.get(key, NOTHING) for values in flat}) > 1]
    table.rows = [[key, *(values.get(key, NOTHING) for values in flat)] for key in differing[:_MOST_DIFFERENCES]]
    if len(differing) > _MOST_DIFFERENCES:
        table.note = f'{len(differing) - _MOST_DIFFERENCES} further keys differ; they are left out.'
    elif not differing:
        table.note = 'No key differs.'
    return table


def _flat(value: Any, prefix: str = '') -> dict[str, str]:
    """The innermost values by their dotted keys."""
    if isinstance(value, Mapping) and value:
        items = value.items()
    elif isinstance(value, (list, tuple)) and any(isinstance(item, (Mapping, list, tuple)) for item in value):
        items = dict(enumerate(value)).items()
    else:
        return {prefix: _short(repr(value))}
    return {k: v for key, item in items for k, v in _flat(item, f'{prefix}.{key}' if prefix else str(key)).items()}


def versions(runs: Sequence[Run]) -> Table:
    """Versions, device and commit of the trainings and of the evaluations."""
    columns: dict[str, Mapping[str, Any]] = {}
    for run in runs:
        if environment := run.started.get('environment'):
            columns[f'{run.name}, training'] = environment
        record = next((record for record, _ in run.records.values()), {})
        if environment := record.get('environment'):
            columns[f'{run.name}, evaluation'] = environment
    table = Table('Versions and devices', ['', *columns])
    names = dict.fromkeys(name for environment in columns.values() for name in environment if name != 'system')
    for name in names:
        values = [environment.get(name) for environment in columns.values()]
        if any(value is not None for value in values):
            shown = [
                NOTHING
                if value is None
                else {True: 'yes', False: 'no'}.get(value, str(value))
                if isinstance(value, bool)
                else str(value)
                for value in values
            ]
            table.rows.append([name.replace('_', ' '), *shown])
    return table


def speed_and_memory(runs: Sequence[Run]) -> Table:
    """What the logs and the records say of time and memory."""
    columns = [_speed(run) for run in runs]
    table = Table('Speed and memory', ['', *(run.name for run in runs)])
    for name in dict.fromkeys(name for column in columns for name in column):
        table.rows.append([name, *(column.get(name, NOTHING) for column in columns)])
    return table


def _speed(run: Run) -> dict[str, str]:
    found = {}
    if times := [y for _, y in run.curves.training.get('time', ())]:
        found['seconds per training iteration, median'] = number_in_words(sorted(times)[len(times) // 2])
    if waits := [y for _, y in run.curves.training.get('data_time', ())]:
        found['of which waiting for data'] = number_in_words(sorted(waits)[len(waits) // 2])
    if memory := [y for _, y in run.curves.training.get('memory', ())]:
        found['GPU memory in training, MB'] = number_in_words(max(memory))
    comparison = run.comparison
    if comparison:
        found |= {
            'inference measured on': comparison['device'],
            'image, height x width': comparison['size'],
            'ms per image, training form': f'{comparison["ms_training_form"]:.1f}',
            'ms per image, fused': f'{comparison["ms_fused"]:.1f}',
            'parameters, training form': f'{comparison["params_training_form"]:,}',
            'parameters, fused': f'{comparison["params_fused"]:,}',
            'memory of activations, training form, MiB': f'{comparison["mib_training_form"]:.0f}',
            'memory of activations, fused, MiB': f'{comparison["mib_fused"]:.0f}',
        }
    for form, (record, _) in run.records.items():
        memory_mib = record.get('memory_mib') or {}
        if peak := memory_mib.get('resident_at_end'):
            found[f'memory of the process at the end of the test, {form}, MiB'] = f'{peak:.0f}'
    return found


def forms(runs: Sequence[Run]) -> Table:
    """The fused form beside the training form."""
    table = Table(
        'Fused form against training form: mIoU, or the top-1 of a classifier, in percent',
        [
            'run',
            'training form',
            'fused',
            'difference',
            'largest difference of logits',
            'pixels with the same label',
            'speed, fused / training form',
        ],
        note='The largest difference of the logits is given relative to the largest logit; it and the speed are of one image.',
    )
    for run in runs:
        training, fused = (_score(run, form) for form in ('training form', 'fused'))
        both = training is not None and fused is not None and _same_images(run)
        comparison = run.comparison
        if training is None and not comparison:
            continue
        table.rows.append(
            [
                run.name,
                NOTHING if training is None else f'{training:.2f}',
                NOTHING if fused is None else f'{fused:.2f}',
                f'{fused - training:+.2f}' if both else NOTHING,  # type: ignore[operator]
                f'{comparison["relative_error"]:.1e}' if comparison else NOTHING,
                f'{100 * comparison["argmax_equal"]:.4f} %' if comparison else NOTHING,
                f'{comparison["ms_training_form"] / comparison["ms_fused"]:.2f}' if comparison else NOTHING,
            ]
        )
    return table


def _same_images(run: Run) -> bool:
    records = (run.records[form][0] for form in ('training form', 'fused'))
    return len({(record.get('images'), record.get('split', 'test')) for record in records}) == 1


def _score(run: Run, form: str) -> float | None:
    metrics = run.records[form][0]['metrics'] if form in run.records else {}
    return next((metrics[name] for name in ('mIoU', 'top1') if isinstance(metrics.get(name), (int, float))), None)
