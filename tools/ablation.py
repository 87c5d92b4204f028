"""Train one config with several kinds of block and several seeds: python tools/ablation.py CONFIG"""

from repvgg_seg.cli.ablation import main

if __name__ == '__main__':
    main()
