"""Read all images and labels of a config's data sets and say what is wrong: python tools/check_dataset.py CONFIG"""

import argparse
import os
import os.path as osp
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from ..data.checked_dataset import CheckedSegDataset
from ..data.class_names import fault_of_classes
from ..data.data_set_check import (
    Finding,
    Split,
    as_record,
    bad_files,
    described,
    findings_of,
    images_with,
    pixels_of,
    shared_between,
    weights_of,
)
from ..data.files_left_out import account_for_files
from ..data.read_items import read_items
from ..data.skip_list import write_skip_list
from ..data.wrapped_datasets import inner_configs, inner_datasets, is_segmentation
from ..errors import InputError
from ..reports.class_frequencies import plot_class_frequencies
from ..reports.markdown import markdown_table
from ..reports.record import write_record
from ..training.config import load_config
from ..training.config.config_check import check_config
from ..training.data_set_errors import why_not_built
from ..training.work_dir import make_folder
from .config_options import add_config_options
from .exit import exit_on_input_error

SPLITS = ('train', 'val', 'test')
_BAD, _PICTURE, _RECORD = 'bad_files.txt', 'classes.png', 'check.json'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Read every image and label of the data sets of a config, and say what is wrong with them',
        epilog='exit status: 0 nothing is wrong, 1 something is, 2 wrong usage',
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--split', nargs='+', choices=SPLITS, metavar='NAME', help='train, val or test; all that the config has'
    )
    parser.add_argument(
        '--workers',
        type=int,
        default=min(os.cpu_count() or 1, 8),
        metavar='N',
        help='number of processes (%(default)s)',
    )
    parser.add_argument(
        '--out-dir', help=f'where {_BAD}, {_PICTURE} and {_RECORD} go; work_dirs/CONFIG/check_dataset by default'
    )
    add_config_options(parser)
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    if args.workers < 0:
        raise InputError(f'--workers {args.workers}: give a number of processes, or 0 for none beside this one')
    cfg = load_config(args.config, args.cfg_options)
    names = [name for name in args.split or SPLITS if cfg.get(f'{name}_dataloader') is not None]
    if not names:
        wanted = ' or '.join(f'{name}_dataloader' for name in args.split or SPLITS)
        raise InputError(f'{args.config} has no {wanted}')
    out_dir = args.out_dir
    if out_dir is None:
        out_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0], 'check_dataset')
    check_config(cfg, [f'{name}_dataloader' for name in names])
    init_default_scope('mmseg')
    built = {name: build_dataset(cfg[f'{name}_dataloader'].dataset, name) for name in dict.fromkeys(names)}
    make_folder(out_dir, '--out-dir')
    splits, repeated = _read(built, args.workers)
    findings = [finding for split in splits for finding in findings_of(split)]
    shared, twins = shared_between(splits)
    findings += [*shared, *_classes_of_the_model(cfg, splits)]
    _print_splits(splits, repeated)
    _print_weights(splits)
    _print_findings(findings)
    _write(out_dir, splits, findings, twins, args.config)
    sys.exit(1 if findings else 0)


def build_dataset(cfg: dict, split: str) -> Any:
    """Build a data set without its own refusals of missing files, each of which is to be found.

    Raises:
        InputError: it cannot be built.
    """
    for part in inner_configs(cfg):
        kind = part.get('type')
        cls = DATASETS.get(kind) if isinstance(kind, str) else kind
        if isinstance(cls, type) and issubclass(cls, CheckedSegDataset):
            part['refuse_missing'] = False
    try:
        dataset = DATASETS.build(cfg)
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
    except (InputError, MemoryError) as error:
        raise InputError(f'{split} data: {error}') from error
    except Exception as error:  # a data set of others raises anything
        raise InputError(why_not_built({'dataset': cfg}, split, error)) from error
    for one in inner_datasets(dataset):
        if not is_segmentation(one):
            raise InputError(f'{split} data: {type(one).__name__} is no data set of images and label maps')
        if fault := fault_of_classes(type(one), {'classes': one.metainfo.get('classes')}):
            raise InputError(f'{split} data: {fault}')
    return dataset


def _read(built: dict[str, Any], workers: int) -> tuple[list[Split], dict[str, str]]:
    """Read all items of the data sets; of two splits that are the same, the first."""
    splits: list[Split] = []
    repeated: dict[str, str] = {}
    seen: dict[tuple, str] = {}
    for name, whole in built.items():
        inner = list(inner_datasets(whole))
        files = tuple(one.get_data_info(i).get('img_path') for one in inner for i in range(len(one)))
        if files in seen:
            repeated[name] = seen[files]
            continue
        seen[files] = name
        left_out = []
        for one in inner:
            account = account_for_files(one, with_labels=False, refuse_missing=False)
            left_out += account.doubtful
        splits.append(Split(name, [(one, read_items(one, workers, name)) for one in inner], left_out))
    return splits, repeated


def _classes_of_the_model(cfg: Config, splits: Sequence[Split]) -> list[Finding]:
    """Whether the head of the config has as many classes as the data."""
    head = cfg.model.get('decode_head')
    number = (head[-1] if isinstance(head, (list, tuple)) and head else head or {}).get('num_classes')
    known = len(splits[0].datasets[0][0].metainfo['classes'])
    if not isinstance(number, int) or number == known:
        return []
    return [Finding(splits[0].name, f'the data has {known} classes, and the head of the model num_classes={number}')]


def _print_splits(splits: Sequence[Split], repeated: dict[str, str]) -> None:
    for split in splits:
        kinds = ', '.join(type(dataset).__name__ for dataset, _ in split.datasets)
        print(f'\n{split.name}: {kinds}')
        for line in described(split):
            print(f'  {line}')
    for name, other in repeated.items():
        print(f'\n{name}: the same images as {other}')
    labelled = [split for split in splits if split.has_labels]
    if not labelled:
        return
    names = labelled[0].datasets[0][0].metainfo['classes']
    header, columns = ['class'], [list(names)]
    for split in labelled:
        header += [f'{split.name}: pixels (%)', 'labels']
        columns += [
            [f'{share:.3g}' for share in _shares(split)],
            [str(number) for number in images_with(split).tolist()],
        ]
    rows = [[column[i] if i < len(column) else '' for column in columns] for i in range(len(names))]
    ignored = ['ignored']
    for split in labelled:
        number, all_pixels = sum(item.ignored for item in split.items), pixels_of(split).sum()
        ignored += [
            f'{100 * number / max(number + all_pixels, 1):.3g} of all',
            str(sum(item.ignored > 0 for item in split.items)),
        ]
    print('\n' + markdown_table(header, [*rows, ignored]))


def _shares(split: Split) -> list[float]:
    """The percent of labelled pixels of each class."""
    pixels = pixels_of(split)
    return (100 * pixels / max(pixels.sum(), 1)).tolist()


def _print_weights(splits: Sequence[Split]) -> None:
    for split in splits:
        if split.name == 'train' and split.has_labels and pixels_of(split).any():
            print(
                f'\nWeights of the classes, by median frequency, for the losses of both heads:\nclass_weight = {weights_of(split)}'
            )
            dataset = split.datasets[0][0]
            if getattr(dataset, 'classes_inferred', False):
                names, colours = dataset.metainfo['classes'], dataset.form.colours
                print(f'classes = {list(names) if colours is None else dict(zip(names, colours, strict=True))}')


def _print_findings(findings: Sequence[Finding]) -> None:
    number = '1 finding' if len(findings) == 1 else f'{len(findings)} findings'
    print(f'\n{number}' if findings else '\nnothing is wrong')
    for finding in findings:
        print(f'- {finding.split}: {finding.what}')
        for example in finding.examples:
            print(f'    such as {" ".join(example.split())}')
        for cause in finding.causes:
            print(f'    usual cause: {cause}')


def _write(
    out_dir: str, splits: Sequence[Split], findings: Sequence[Finding], twins: dict[str, str], config: str
) -> None:
    """Write the list of bad files, the picture and the record."""
    reasons = dict(twins)
    for split in splits:
        reasons |= bad_files(split)
    datasets = [dataset for split in splits for dataset, _ in split.datasets]
    root = str(getattr(datasets[0], 'data_root', None) or '')
    path = osp.join(out_dir, _BAD)
    labelled = [split for split in splits if split.has_labels]
    print()
    if reasons or osp.exists(path):
        write_skip_list(path, reasons, root, [getattr(dataset, 'skip_list', None) for dataset in datasets])
    if reasons:
        total = sum(len(split.items) for split in splits)
        takes = all(isinstance(dataset, CheckedSegDataset) for dataset in datasets)
        way = (
            f'skip_list={osp.abspath(path)!r} of the data sets leaves them out'
            if takes
            else 'CheckedSegDataset takes it as skip_list'
        )
        print(
            f'{path}: {len(reasons)} of {total} images that cannot be used as they are; '
            + ('mend the cause, since none would be left' if len(reasons) == total else way)
        )
    if any(pixels_of(split).any() for split in labelled):
        palette = labelled[0].datasets[0][0].metainfo.get('palette') or ()
        classes = labelled[0].datasets[0][0].metainfo['classes']
        plot_class_frequencies(
            osp.join(out_dir, _PICTURE), classes, palette, {split.name: _shares(split) for split in labelled}
        )
        print(f'{osp.join(out_dir, _PICTURE)}: the classes as a picture')
    figures = as_record(splits, findings)
    record = osp.join(out_dir, _RECORD)
    weights = next((weights_of(split) for split in labelled if split.name == 'train'), None)
    write_record(record, device=torch.device('cpu'), config=Path(config).name, class_weight=weights, **figures)
    print(f'{record}: all figures')
