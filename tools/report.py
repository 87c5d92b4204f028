"""Write a page for training runs: python tools/report.py RUN..."""

from repvgg_seg.cli.report import main

if __name__ == '__main__':
    main()
