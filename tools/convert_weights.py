"""Convert RepVGG weights between families of names: python tools/convert_weights.py SRC DST --to timm"""

from repvgg_seg.cli.convert_weights import main

if __name__ == '__main__':
    main()
