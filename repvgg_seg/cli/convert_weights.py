"""Convert RepVGG weights between families of names: python tools/convert_weights.py SRC DST --to timm"""

import argparse

from ..errors import InputError
from ..weight_names import FAMILIES
from ..weights import install_safe_reader
from ..weights.convert import convert
from ..weights.read import read_checkpoint
from ..weights.write import check_output, write_checkpoint
from .exit import exit_on_input_error


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Convert RepVGG weights between families of names, and fuse them')
    parser.add_argument('src', help='weights of any family: a classifier or a backbone, .pth or .safetensors')
    parser.add_argument('dst', help='file to write, .pth or .safetensors')
    parser.add_argument('--to', required=True, choices=FAMILIES, help='family of names to write')
    parser.add_argument('--deploy', action='store_true', help='write the fused form')
    parser.add_argument('--backbone-only', action='store_true', help='leave out all tensors outside the backbone')
    parser.add_argument('--overwrite', action='store_true', help='replace DST where it exists')
    parser.add_argument('--trust', action='store_true', help='read SRC even if that runs code in the file')
    return parser.parse_args()


@exit_on_input_error
def main() -> None:
    args = parse_args()
    install_safe_reader()
    check_output(args.src, args.dst, args.overwrite)
    checkpoint = read_checkpoint(args.src, trust=args.trust)
    try:
        converted, arch, error = convert(checkpoint, args.to, args.deploy, args.backbone_only)
    except InputError as refusal:
        raise InputError(f'{args.src}: {refusal}') from None
    write_checkpoint(converted, args.dst)
    form = 'fused' if args.deploy else 'in training form'
    print(f'wrote {args.dst}: {arch} {form}, names of {args.to}; relative error {error:.1e}')
