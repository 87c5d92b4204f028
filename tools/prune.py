"""Remove channels of a fused segmentor: python tools/prune.py CONFIG CHECKPOINT --share 0.33 --out-dir DIR"""

from repvgg_seg.cli.prune import main

if __name__ == '__main__':
    main()
