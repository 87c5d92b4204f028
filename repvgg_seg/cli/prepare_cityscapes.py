"""Make the trainId labels of Cityscapes: python tools/prepare_cityscapes.py data/cityscapes"""

import argparse

from ..data.prepare_cityscapes import COUNTS, prepare
from ..errors import exit_on_input_error


@exit_on_input_error
def main():
    parser = argparse.ArgumentParser(description='Make *_gtFine_labelTrainIds.png from gtFine and count the images')
    parser.add_argument('root', nargs='?', default='data/cityscapes', help='holds leftImg8bit/ and gtFine/')
    parser.add_argument('--workers', type=int, default=4, help='processes')
    args = parser.parse_args()
    made, there = prepare(args.root, COUNTS, args.workers)
    print(
        f'{args.root} is complete: {made} labels made, {there} were there; python tools/train.py configs/pspnet_repvgg_b2.py'
    )
