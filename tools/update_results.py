"""Write the tables of README.md from results/: python tools/update_results.py [--check]"""

from repvgg_seg.cli.update_results import main

if __name__ == '__main__':
    main()
