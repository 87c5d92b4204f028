"""Measure speed, memory and size, everything in one interleaved run: python tools/benchmark.py segmentors"""

from repvgg_seg.cli.benchmark import main

if __name__ == '__main__':
    main()
