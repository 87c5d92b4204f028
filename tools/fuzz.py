"""Read damaged files until something other than a message comes of it: python tools/fuzz.py checkpoint --minutes 10"""

from repvgg_seg.cli.fuzz import main

if __name__ == '__main__':
    main()
