"""Every config builds, its heads fit its backbone, and the paper's say what the paper says."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.models import build_segmentor
from mmseg.registry import DATASETS, TRANSFORMS

from repvgg_seg.training.config.config_check import check_config

REPO = Path(__file__).resolve().parents[2]
CONFIGS = {path.stem: path for path in sorted((REPO / 'configs').glob('pspnet_*.py'))}
PAPER = {
    # name: arch or depth, channels of stage 4 and 5, channels of each pyramid bin (a quarter of stage 5's)
    'pspnet_repvgg_b1g2': ('B1g2', None, 512, 2048, 512),
    'pspnet_repvgg_b1g2_fast': ('B1g2', 5, 512, 2048, 512),
    'pspnet_repvgg_b2': ('B2', None, 640, 2560, 640),
    'pspnet_repvgg_b2_fast': ('B2', 5, 640, 2560, 640),
    'pspnet_resnet50': (50, None, 1024, 2048, 512),
    'pspnet_resnet101': (101, None, 1024, 2048, 512),
}
MMSEG = ['pspnet_repvgg_a0_80k_512x1024', 'pspnet_repvgg_b1g2_fast_80k_512x1024', 'pspnet_repvgg_b2_80k_512x1024']
OTHERS = [
    'pspnet_repvgg_own_data',
    'pspnet_repvgg_a0_camvid',
    'pspnet_repvgg_small_camvid',
    'pspnet_qarepvgg_a0_camvid',
    'pspnet_resnet18_camvid',
    'pspnet_repvgg_a0_synthetic',
]


def load(name):
    return Config.fromfile(CONFIGS[name])


def build(cfg):
    with torch.device('meta'):
        return build_segmentor(cfg.model).eval()


def steps(pipeline):
    return {step['type']: step for step in pipeline}


def test_these_are_the_configs():
    assert sorted(CONFIGS) == sorted([*PAPER, *MMSEG, *OTHERS])


@pytest.mark.slow
@pytest.mark.parametrize('name', CONFIGS)
def test_builds_and_heads_fit(name):
    cfg = load(name)
    model = build(cfg)
    image = torch.empty(1, 3, 129, 193, device='meta')
    features = model.backbone(image)
    assert features[2].shape[2:] == features[3].shape[2:] == (17, 25), 'output stride 8'
    for head in (model.decode_head, model.auxiliary_head):
        assert head.in_channels == features[head.in_index].shape[1]
        assert head(features).shape == (1, head.num_classes, 17, 25)
    assert 'SwitchToDeployHook' in [hook['type'] for hook in cfg.custom_hooks]


@pytest.mark.parametrize('name', CONFIGS)
def test_pipelines_build_and_check_labels(name):
    cfg = load(name)
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline, cfg.tta_pipeline):
        for step in pipeline:
            TRANSFORMS.build(step)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        names = [step['type'] for step in loader.dataset.pipeline]
        assert names[names.index('LoadAnnotations') + 1] == 'CheckAnnotations'
        assert DATASETS.get(loader.dataset.type) is not None
        assert loader.dataset.data_root == cfg.data_root
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    assert cfg.test_dataloader.dataset.pipeline == cfg.test_pipeline
    assert cfg.train_dataloader.drop_last


def levels(path):
    bases = [base.replace('repvgg_seg::', f'{REPO}/configs/') for base in Config._get_base_files(path)]
    return 1 + max((levels((path.parent / base).resolve()) for base in bases), default=0)


def test_at_most_three_levels():
    for path in (REPO / 'configs').rglob('*.py'):
        assert levels(path) <= 3, path


def test_custom_imports_in_one_place():
    found = [p.name for p in (REPO / 'configs').rglob('*.py') if 'custom_imports' in p.read_text()]
    assert found == ['default_runtime.py']


@pytest.mark.parametrize('name', PAPER)
def test_the_papers_protocol(name):
    """REFERENCE, section 2, line by line."""
    cfg = load(name)
    arch, last, stage4, stage5, quarter = PAPER[name]
    backbone, decode, aux = cfg.model.backbone, cfg.model.decode_head, cfg.model.auxiliary_head
    if isinstance(arch, str):
        assert (backbone.arch, backbone.output_stride, backbone.get('dilate_last')) == (arch, 8, last)
        assert backbone.init_cfg.checkpoint == f'pretrained/RepVGG-{arch}-train.pth'
    else:
        assert (backbone.depth, backbone.dilations, backbone.contract_dilation) == (arch, (1, 1, 2, 4), False)
    # crop, scale, rotation, blur, flip
    train = steps(cfg.train_pipeline)
    assert list(train)[3:] == [
        'RandomResize', 'RandomRotate', 'RandomGaussianBlur', 'RandomFlip', 'RandomCrop', 'PackSegInputs',
    ]  # fmt: skip
    assert train['RandomResize']['ratio_range'] == (0.5, 2.0) and train['RandomResize']['scale'] == (2048, 1024)
    assert train['RandomRotate']['degree'] == 10 and train['RandomRotate']['seg_pad_val'] == 255
    assert train['RandomGaussianBlur']['prob'] == train['RandomFlip']['prob'] == 0.5
    assert train['RandomCrop']['crop_size'] == cfg.model.data_preprocessor.size == (713, 713)
    # optimiser and schedule
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ('SGD', 0.01, 0.9, 1e-4)
    (poly,) = cfg.param_scheduler
    assert (poly.type, poly.power, poly.eta_min, poly.end) == ('PolyLR', 0.9, 0, 40) and poly.convert_to_iter_based
    assert cfg.train_cfg.max_epochs == 40 and cfg.train_dataloader.batch_size == 2
    assert cfg.auto_scale_lr.base_batch_size == 16
    # heads
    for head, in_channels, channels, weight in ((decode, stage5, 512, 1.0), (aux, stage4, 256, 0.4)):
        assert (head.in_channels, head.channels, head.dropout_ratio) == (in_channels, channels, 0.1)
        assert head.align_corners and head.num_classes == 19 and head.norm_cfg.type == 'SyncBN'
        assert head.loss_decode.loss_weight == weight and head.loss_decode.avg_non_ignore
    assert decode.pool_scales == (1, 2, 3, 6)
    assert (aux.in_index, aux.num_convs, aux.concat_input) == (2, 1, False)
    model = build(cfg)
    assert [m[1].conv.out_channels for m in model.decode_head.psp_modules] == [quarter] * 4
    assert model.decode_head.ignore_index == 255
    # evaluation
    assert cfg.model.test_cfg == dict(mode='slide', crop_size=(713, 713), stride=(math.ceil(713 * 2 / 3),) * 2)
    assert steps(cfg.test_pipeline)['Resize']['scale'] == (2048, 1024)


def test_ten_times_the_rate_for_new_layers():
    cfg = load('pspnet_repvgg_b1g2_fast')
    with torch.device('meta'):
        model = build_segmentor(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rates = {id(parameter): group['lr'] for group in wrapper.param_groups for parameter in group['params']}
    found = {(name.split('.')[0], rates[id(parameter)]) for name, parameter in model.named_parameters()}
    assert found == {('backbone', 0.01), ('decode_head', 0.1), ('auxiliary_head', 0.1)}


@pytest.mark.parametrize('name', MMSEG)
def test_mmsegs_protocol(name):
    cfg = load(name)
    assert cfg.crop_size == cfg.model.data_preprocessor.size == (512, 1024)
    assert (cfg.train_cfg.max_iters, cfg.param_scheduler[0].end, cfg.param_scheduler[0].eta_min) == (80000, 80000, 1e-4)
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.weight_decay, 'paramwise_cfg' in cfg.optim_wrapper) == (0.01, 5e-4, False)
    assert cfg.model.decode_head.type == 'FoldedPSPHead' and cfg.model.decode_head.channels == 512
    assert not cfg.model.decode_head.align_corners and cfg.model.test_cfg.mode == 'whole'


@pytest.mark.parametrize('head', ['PSPHead', 'QuarterPSPHead', 'FoldedPSPHead', 'FCNHead'])
def test_another_head_is_set_by_its_type_alone(head):
    cfg = load('pspnet_repvgg_b2')
    cfg.merge_from_dict(
        {'model.decode_head.type': head, 'model.backbone.arch': 'A0', 'model.decode_head.in_channels': 1280}
    )
    if head == 'FCNHead':
        del cfg.model.decode_head['pool_scales']
    cfg.model.auxiliary_head.in_channels = 192
    check_config(cfg, ['model'])
    assert type(build(cfg).decode_head).__name__ == head


def test_the_camvid_baseline_differs_in_its_backbone_alone():
    ours, baseline = load('pspnet_repvgg_a0_camvid'), load('pspnet_resnet18_camvid')
    for cfg in (ours, baseline):
        cfg.model.pop('backbone')
        cfg.model.decode_head.pop('in_channels')
        cfg.model.auxiliary_head.pop('in_channels')
    assert ours.to_dict() == baseline.to_dict()
