"""Write a small data set of synthetic street scenes in the Cityscapes layout, to try the project without Cityscapes."""

from repvgg_seg.cli.make_synthetic_scenes import main

if __name__ == '__main__':
    main()
