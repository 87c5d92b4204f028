import pytest
import torch
from weight_files import tensors, written_by

from repvgg_seg import RepVGGClassifier
from repvgg_seg.weight_names import FAMILIES


@pytest.mark.parametrize(
    'ours, timm, mmpretrain',
    [
        ('stage0.rbr_dense.conv.weight', 'stem.conv_kxk.conv.weight', 'backbone.stem.branch_3x3.conv.weight'),
        ('stage0.rbr_reparam.bias', 'stem.reparam_conv.bias', 'backbone.stem.branch_reparam.bias'),
        ('stage1.1.rbr_dense.bn.weight', 'stages.0.1.conv_kxk.bn.weight', 'backbone.stage_1.1.branch_3x3.norm.weight'),
        ('stage2.0.rbr_1x1.conv.weight', 'stages.1.0.conv_1x1.conv.weight', 'backbone.stage_2.0.branch_1x1.conv.weight'),
        ('stage3.13.rbr_1x1.bn.bias', 'stages.2.13.conv_1x1.bn.bias', 'backbone.stage_3.13.branch_1x1.norm.bias'),
        ('stage3.9.rbr_identity.running_var', 'stages.2.9.identity.running_var', 'backbone.stage_3.9.branch_norm.running_var'),
        ('stage4.0.se.down.weight', 'stages.3.0.attn.fc1.weight', 'backbone.stage_4.0.se_layer.conv1.conv.weight'),
        ('stage4.0.se.up.bias', 'stages.3.0.attn.fc2.bias', 'backbone.stage_4.0.se_layer.conv2.conv.bias'),
        ('linear.weight', 'head.fc.weight', 'head.fc.weight'),
    ],
)  # fmt: skip
def test_names(ours, timm, mmpretrain):
    expected = dict(official=ours, timm=timm, mmpretrain=mmpretrain)
    expected['ours'] = ours if ours.startswith('linear') else f'backbone.{ours}'
    for name, family in FAMILIES.items():
        assert family.from_official(ours) == expected[name]
        if not ours.startswith('linear'):
            assert family.to_official(expected[name].removeprefix('backbone.')) == ours


@pytest.mark.parametrize('name', ['stages_2.13.conv_1x1.bn.bias', 'stages.2.13.conv_1x1.bn.bias'])
def test_names_of_timms_features_only(name):
    """A list of stages that timm flattens: `stages_2` is what `stages.2` is in the classifier."""
    assert FAMILIES['timm'].to_official(name) == 'stage3.13.rbr_1x1.bn.bias'


# What the code of each family writes into a file. A block in training form and a fused block, with the kind of tensor:
TRAINING = [
    # official          timm              mmpretrain
    ('rbr_dense.conv', 'conv_kxk.conv', 'branch_3x3.conv', '3x3'),
    ('rbr_dense.bn', 'conv_kxk.bn', 'branch_3x3.norm', 'bn'),
    ('rbr_1x1.conv', 'conv_1x1.conv', 'branch_1x1.conv', '1x1'),
    ('rbr_1x1.bn', 'conv_1x1.bn', 'branch_1x1.norm', 'bn'),
    ('rbr_identity', 'identity', 'branch_norm', 'identity'),  # in all blocks but the first of a stage
]
FUSED = [('rbr_reparam', 'reparam_conv', 'branch_reparam', '3x3 with bias')]
SE = [
    ('se.down', 'attn.fc1', 'se_layer.conv1.conv', 'down'),
    ('se.up', 'attn.fc2', 'se_layer.conv2.conv', 'up'),
]
# The first layer; a block of the other stages, with their number counted from 0 or from 1; the linear layer:
PLACES = dict(
    official=('stage0', 'stage{from_1}.{block}', 'linear'),
    timm=('stem', 'stages.{from_0}.{block}', 'head.fc'),
    mmpretrain=('backbone.stem', 'backbone.stage_{from_1}.{block}', 'head.fc'),
)
# Layers and channels of the five stages (paper, Tables 2 and 3), groups of every second layer, squeeze-and-excitation:
A, B, D = (1, 2, 4, 14, 1), (1, 4, 6, 16, 1), (1, 8, 14, 24, 1)
NETWORKS = dict(
    A0=(A, (48, 48, 96, 192, 1280), 1, False),
    A1=(A, (64, 64, 128, 256, 1280), 1, False),
    A2=(A, (64, 96, 192, 384, 1408), 1, False),
    B0=(B, (64, 64, 128, 256, 1280), 1, False),
    B1=(B, (64, 128, 256, 512, 2048), 1, False),
    B1g2=(B, (64, 128, 256, 512, 2048), 2, False),
    B1g4=(B, (64, 128, 256, 512, 2048), 4, False),
    B2=(B, (64, 160, 320, 640, 2560), 1, False),
    B2g2=(B, (64, 160, 320, 640, 2560), 2, False),
    B2g4=(B, (64, 160, 320, 640, 2560), 4, False),
    B3=(B, (64, 192, 384, 768, 2560), 1, False),
    B3g2=(B, (64, 192, 384, 768, 2560), 2, False),
    B3g4=(B, (64, 192, 384, 768, 2560), 4, False),
    D2se=(D, (64, 160, 320, 640, 2560), 1, True),
)


def tensors_of(kind, inputs, outputs, groups):
    """Name -> shape of the tensors of one part of a block."""
    if kind in ('bn', 'identity'):
        vectors = ('weight', 'bias', 'running_mean', 'running_var')
        return dict.fromkeys(vectors, (outputs,)) | dict(num_batches_tracked=())
    return {
        '3x3': dict(weight=(outputs, inputs // groups, 3, 3)),
        '1x1': dict(weight=(outputs, inputs // groups, 1, 1)),
        '3x3 with bias': dict(weight=(outputs, inputs // groups, 3, 3), bias=(outputs,)),
        'down': dict(weight=(outputs // 16, outputs, 1, 1), bias=(outputs // 16,)),
        'up': dict(weight=(outputs, outputs // 16, 1, 1), bias=(outputs,)),
    }[kind]


def written_by_the_peer(family, arch, fused):
    """Name -> shape of all tensors of an ImageNet classifier, in a file of the family's own code."""
    depths, widths, groups, se = NETWORKS[arch]
    stem, later, linear = PLACES[family]
    column = list(PLACES).index(family)
    shapes, inputs, number = {}, 3, 0
    for stage, (depth, outputs) in enumerate(zip(depths, widths, strict=True)):
        for block in range(depth):
            place = later.format(from_0=stage - 1, from_1=stage, block=block) if stage > 0 else stem
            for part in (FUSED if fused else TRAINING) + (SE if se else []):
                if part[-1] == 'identity' and block == 0:
                    continue
                of_layer = groups if number >= 2 and number % 2 == 0 else 1
                for name, shape in tensors_of(part[-1], inputs, outputs, of_layer).items():
                    shapes[f'{place}.{part[column]}.{name}'] = shape
            inputs, number = outputs, number + 1
    return shapes | {f'{linear}.weight': (1000, inputs), f'{linear}.bias': (1000,)}


@pytest.mark.parametrize('arch', NETWORKS)
@pytest.mark.parametrize('form', ['training', 'deploy'])
def test_names_and_shapes_are_the_peers(arch, form):
    with torch.device('meta'):
        model = RepVGGClassifier(arch, deploy=form == 'deploy')
    for family in PLACES:
        found = {name: tuple(tensor.shape) for name, tensor in tensors(written_by(model, family)).items()}
        assert found == written_by_the_peer(family, arch, form == 'deploy'), family
