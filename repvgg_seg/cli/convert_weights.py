"""Convert RepVGG weights between families of names: python tools/convert_weights.py SRC DST --to timm"""

import argparse

from ..errors import InputError, exit_on_input_error
from ..weight_names import FAMILIES
from ..weights.convert import convert
from ..weights.read import read_checkpoint
from ..weights.write import check_output, write_checkpoint


def parse_args():
    parser = argparse.ArgumentParser(description='Convert RepVGG weights between families of names, and fuse them')
    parser.add_argument('src', help='weights of any family: a classifier or a backbone, .pth or .safetensors')
    parser.add_argument('dst', help='file to write, .pth or .safetensors')
    parser.add_argument('--to', required=True, choices=FAMILIES, help='family of names to write')
    parser.add_argument('--deploy', action='store_true', help='write the fused form')
    parser.add_argument('--backbone-only', action='store_true', help='leave out whatever is not the backbone')
    parser.add_argument('--overwrite', action='store_true', help='replace DST where it exists')
    parser.add_argument('--trust', action='store_true', help='read a file that runs code of its own when read')
    return parser.parse_args()


@exit_on_input_error
def main():
    args = parse_args()
    check_output(args.src, args.dst, args.overwrite)
    checkpoint = read_checkpoint(args.src, trust=args.trust)
    try:
        converted, arch, difference = convert(checkpoint, args.to, args.deploy, args.backbone_only)
    except InputError as error:
        raise InputError(f'{args.src}: {error}') from None
    write_checkpoint(converted, args.dst)
    form = 'fused' if args.deploy else 'in training form'
    print(f'wrote {args.dst}: {arch} {form}, names of {args.to}; relative difference {difference:.1e}')
