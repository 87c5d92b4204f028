"""What the paper reports and a benchmark stands beside: all measured on a 1080Ti in fp32. Data only."""

# Table 8: mIoU (%) and examples/s at batch 16, 713x713, by config.
SEGMENTORS = {
    'pspnet_repvgg_b1g2_fast': dict(miou=78.88, paper_examples_per_s=10.9),
    'pspnet_resnet50': dict(miou=77.17, paper_examples_per_s=10.4),
    'pspnet_repvgg_b1g2': dict(miou=78.70, paper_examples_per_s=8.0),
    'pspnet_repvgg_b2_fast': dict(miou=79.52, paper_examples_per_s=6.9),
    'pspnet_resnet101': dict(miou=78.51, paper_examples_per_s=6.7),
    'pspnet_repvgg_b2': dict(miou=80.57, paper_examples_per_s=4.5),
}

# Table 4: top-1 (%) after 120 epochs and examples/s at batch 128, 224x224.
CLASSIFIERS = {
    'RepVGG-A0': (72.41, 3256),
    'ResNet-18': (71.16, 2442),
    'RepVGG-A1': (74.46, 2339),
    'RepVGG-B0': (75.14, 1817),
    'ResNet-34': (74.17, 1419),
    'RepVGG-A2': (76.48, 1322),
    'RepVGG-B1g4': (77.58, 868),
    'EfficientNet-B0': (75.11, 829),
    'RepVGG-B1g2': (77.78, 792),
    'ResNet-50': (76.31, 719),
    'RepVGG-B1': (78.37, 685),
    'RegNetX-3.2GF': (77.98, 671),
    'RepVGG-B2g4': (78.50, 581),
    'ResNeXt-50': (77.46, 484),
    'RepVGG-B2': (78.78, 460),
    'ResNet-101': (77.21, 430),
    'VGG-16': (72.21, 415),
    'ResNet-152': (77.78, 297),
    'ResNeXt-101': (78.42, 295),
}

# Table 5: the same after 200 epochs; EfficientNet-B3 at 300x300.
CLASSIFIERS_200E = {
    'RepVGG-B2g4': (79.38, 581),
    'RepVGG-B3g4': (80.21, 464),
    'RepVGG-B3': (80.52, 363),
    'RegNetX-12GF': (80.55, 277),
    'EfficientNet-B3': (79.31, 224),
}

# Table 6: kind of block -> examples/s of RepVGG-B0 before conversion, batch 128, 224x224.
BRANCHES = {'plain': 1810, 'without_1x1': 1569, 'without_identity': 1230, 'repvgg': 1061}

# Tables 6 and 7: kind of block -> top-1 (%) of RepVGG-B0 after 120 epochs.
BLOCKS = {
    'plain': 72.39,
    'without_1x1': 74.79,
    'without_identity': 73.15,
    'repvgg': 75.14,
    'identity_without_bn': 74.18,
    'bn_after_addition': 73.52,
    'relu_in_branches': 75.69,
    'dirac': 73.97,
    'trivial': 73.51,
    'asymmetric': 73.58,
    'residual': 74.56,
}
# Section 4.2: top-1 (%) of ResNet-50 after 120 epochs, with these blocks in the place of its 3x3 convs.
RESNET_50_BLOCKS = {'plain': 76.31, 'repvgg': 76.34}

# Table 1: kernel size -> ms at batch 32, 2,048 channels, 56x56.
KERNELS = {1: 84.5, 3: 198.8, 5: 2092.5, 7: 4394.3}
