"""Everything once, on synthetic street scenes: generate, train, fuse, score, look. `make demo` runs it."""

from repvgg_seg.cli.demo import main

if __name__ == '__main__':
    main()
