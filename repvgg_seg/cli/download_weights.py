"""Fetch published ImageNet weights: python tools/download_weights.py NAME"""

import argparse

from ..errors import InputError
from ..invocation import as_typed
from ..models.archs import ARCHS
from ..weights.download import download
from ..weights.published import KNOWN_WEIGHTS, KnownWeights, find_known, weights_of
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Fetch published ImageNet weights and check them; an interrupted download is resumed'
    )
    parser.add_argument('names', nargs='*', metavar='NAME', help='name or file name of weights; see --list')
    parser.add_argument(
        '--dir', default='pretrained', help='folder for the files (%(default)s, where the configs look)'
    )
    parser.add_argument('--list', action='store_true', help='show all names')
    args = parser.parse_args()
    if not args.names and not args.list:
        parser.error('name the weights, or say --list')
    return args


def show_list() -> None:
    row = '{:<27} {:<10} {:<10} {:<23} {:>6} {:>12}  {}'
    print(row.format('name', 'arch', 'source', 'recipe', 'top-1', 'bytes', 'address'))
    for known in KNOWN_WEIGHTS:
        top1 = '' if known.top1 is None else f'{known.top1:.2f}'
        size = '' if known.size is None else f'{known.size:,}'
        address = known.url or 'no stable address'
        print(row.format(known.name, known.arch, known.source, known.recipe, top1, size, address))


def lookup(name: str) -> KnownWeights:
    """The weights of a name; `InputError` for an unknown name says which names there are."""
    known = find_known(name)
    if known:
        return known
    arch = name.lower().removeprefix('repvgg-')
    if weights := weights_of(arch):
        raise InputError(f'{name!r} is an architecture: name one of its weights, {", ".join(w.name for w in weights)}')
    published = f'{as_typed("download_weights", "--list")} shows what is'
    for unpublished in ARCHS:
        if unpublished.lower() == arch:
            raise InputError(f'no weights are published for RepVGG-{unpublished}: {published}')
    raise InputError(f'no weights are known as {name!r}: {published} known')


@exit_on_input_error
def main() -> None:
    args = parse_args()
    if args.list:
        show_list()
    for known in [lookup(name) for name in args.names]:
        path = download(known, args.dir)
        checked = f'sha256 {known.sha256}' if known.sha256 else 'no sum is published'
        print(f'{path}: {path.stat().st_size:,} bytes, {checked}')
