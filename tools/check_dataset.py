"""Read all images and labels and say what is wrong: python tools/check_dataset.py CONFIG"""

from repvgg_seg.cli.check_dataset import main

if __name__ == '__main__':
    main()
