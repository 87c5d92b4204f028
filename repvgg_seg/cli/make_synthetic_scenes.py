"""Write a small data set of synthetic street scenes in the Cityscapes layout, to try the project without Cityscapes."""

import argparse

from ..invocation import as_typed, config_name
from ..synthetic.dataset import generate
from .exit import exit_on_input_error

DEFAULT_ROOT = 'data/synthetic'  # the data_root of the config that the printed command trains


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', nargs='?', default=DEFAULT_ROOT, help='directory to write (%(default)s)')
    parser.add_argument('--train', type=int, default=120, metavar='N', help='number of training scenes (%(default)s)')
    parser.add_argument('--val', type=int, default=30, metavar='N', help='number of validation scenes (%(default)s)')
    parser.add_argument('--test', type=int, default=0, metavar='N', help='number of test scenes (%(default)s)')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(256, 512), metavar=('H', 'W'), help='size in pixels (256 512)'
    )
    parser.add_argument('--seed', type=int, default=0, help='the same seed gives the same scenes (%(default)s)')
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    counts = {'train': args.train, 'val': args.val, 'test': args.test}
    written = generate(args.root, counts, tuple(args.size), args.seed)
    scenes = ', '.join(f'{count} {split}' for split, count in counts.items() if count)
    elsewhere = '' if args.root == DEFAULT_ROOT else f', with its data_root set to {args.root}'
    training = as_typed('train', config_name('pspnet_repvgg_a0_synthetic'))
    print(
        f'{args.root} holds {scenes} scenes of {args.size[0]}x{args.size[1]} (height x width), {written} of them new; '
        f'train on them with: {training}{elsewhere}'
    )
