"""Make the trainId labels of Cityscapes: python tools/prepare_cityscapes.py data/cityscapes"""

import argparse

from ..data.prepare_cityscapes import COUNTS, prepare
from ..invocation import as_typed, config_name
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Make *_gtFine_labelTrainIds.png from gtFine and count the images')
    parser.add_argument(
        'root', nargs='?', default='data/cityscapes', help='holds leftImg8bit/ and gtFine/ (%(default)s)'
    )
    parser.add_argument('--workers', type=int, default=4, metavar='N', help='number of processes (%(default)s)')
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    made, existing = prepare(args.root, COUNTS, args.workers)
    print(
        f'{args.root} is complete: {made} labels were made, {existing} existed before; '
        f'train with: {as_typed("train", config_name("pspnet_repvgg_b2"))}'
    )
