"""Fuse a checkpoint: python tools/reparameterize.py CONFIG CHECKPOINT OUT"""

from repvgg_seg.cli.reparameterize import main

if __name__ == '__main__':
    main()
