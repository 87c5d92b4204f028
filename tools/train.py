"""Train a model: python tools/train.py CONFIG"""

from repvgg_seg.cli.train import main

if __name__ == '__main__':
    main()
