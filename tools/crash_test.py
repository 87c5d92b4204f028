"""Kill a training at random moments and resume it: python tools/crash_test.py"""

from repvgg_seg.cli.crash_test import main

if __name__ == '__main__':
    main()
