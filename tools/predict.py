"""Segment images, folders, videos and cameras: python tools/predict.py photo.jpg"""

from repvgg_seg.cli.predict import main

if __name__ == '__main__':
    main()
