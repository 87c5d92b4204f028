"""Fetch published ImageNet weights: python tools/download_weights.py NAME"""

from repvgg_seg.cli.download_weights import main

if __name__ == '__main__':
    main()
