"""Score a checkpoint, fused: python tools/test.py CONFIG CHECKPOINT"""

from repvgg_seg.cli.test import main

if __name__ == '__main__':
    main()
