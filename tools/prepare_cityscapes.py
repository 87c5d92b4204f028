"""Make the trainId labels of Cityscapes: python tools/prepare_cityscapes.py data/cityscapes"""

from repvgg_seg.cli.prepare_cityscapes import main

if __name__ == '__main__':
    main()
