"""Write a trained segmentor as a file for another engine: python tools/export.py CONFIG CHECKPOINT --to onnx"""

from repvgg_seg.cli.export import main

if __name__ == '__main__':
    main()
