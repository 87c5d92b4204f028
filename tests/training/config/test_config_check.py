"""What a config can get wrong is named with its place, and no config that works is refused."""

from pathlib import Path

import mmseg
import pytest
from mmengine.config import Config
from mmengine.hooks import Hook, IterTimerHook
from mmseg.datasets import CityscapesDataset
from mmseg.registry import HOOKS, MODELS, TRANSFORMS
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.training.config.config_check import TEST, TRAINING, VALIDATION, check_config
from repvgg_seg.training.config.set_options import set_options
from repvgg_seg.training.config.settings_check import check_settings

CONFIGS = sorted(path for path in Path('configs').rglob('*.py') if '_base_' not in path.parts)
EVERYTHING = (*TRAINING, *VALIDATION, *TEST, 'tta_model')


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_config_of_the_project_passes(path):
    cfg = Config.fromfile(path)
    check_config(cfg, EVERYTHING)
    check_settings(cfg, training=True)


@pytest.mark.slow
def test_configs_of_mmseg_pass():
    """Two of every folder, the first and the last; those whose packages are not installed are left out."""
    root = Path(mmseg.__file__).parent / '.mim' / 'configs'
    folders = [sorted(folder.glob('*.py')) for folder in root.iterdir() if folder.name != '_base_']
    checked = 0
    for path in {path for paths in folders for path in (paths[:1] + paths[-1:])}:
        try:
            cfg = Config.fromfile(path)
        except ImportError:
            continue
        check_config(cfg, EVERYTHING)
        check_settings(cfg, training=True)
        checked += 1
    assert checked > 80


def synthetic(**options):
    cfg = Config.fromfile('configs/pspnet_repvgg_a0_synthetic.py')
    cfg.merge_from_dict({key.replace('__', '.'): value for key, value in options.items()})
    return cfg


@pytest.mark.parametrize(
    'key, value, message',
    [
        ('model.type', 'EncoderDecodr', "model.type: no model has the name 'EncoderDecodr'; the closest are EncoderDecoder"),
        ('model.backbone.arhc', 'B2', "model.backbone.arhc: RepVGG takes no argument of this name (got 'B2'); the closest are arch"),
        ('model.decode_head.chanels', 512, 'model.decode_head.chanels: FoldedPSPHead takes no argument of this name (got 512)'),
        ('model.decode_head.type', 'PSPHaed', "model.decode_head.type: no model has the name 'PSPHaed'; the closest are PSPHead"),
        ('model.decode_head.type', 3, 'model.decode_head.type: got 3; a model is given by its name or as a class'),
        ('model.decode_head.norm_cfg.epsilon', 1, 'model.decode_head.norm_cfg.epsilon: SyncBatchNorm takes no'),
        ('model.decode_head.conv_cfg', dict(type='Conv2'), "model.decode_head.conv_cfg.type: no model has the name 'Conv2'"),
        ('model.decode_head.act_cfg', dict(type='Relu'), 'the closest are ReLU'),
        ('model.decode_head.loss_decode.weight', 1, 'model.decode_head.loss_decode.weight: CrossEntropyLoss takes no'),
        ('model.auxiliary_head', [dict(type='FCNHead', channels=1, num_classes=2)], 'model.auxiliary_head.0: FCNHead needs in_channels'),
        ('model.data_preprocessor.crop', 1, 'model.data_preprocessor.crop: SegDataPreProcessor takes no'),
        ('train_dataloader.batchsize', 2, 'train_dataloader.batchsize: DataLoader takes no argument of this name (got 2); the closest are batch_size'),
        ('train_dataloader.dataset.foo', 1, 'train_dataloader.dataset.foo: CheckedCityscapesDataset takes no'),
        ('train_dataloader.dataset.pipeline.4.crop', 1, 'train_dataloader.dataset.pipeline.4.crop: RandomCrop takes no'),
        ('val_dataloader.dataset.pipeline.0.type', 'LoadImage', "val_dataloader.dataset.pipeline.0.type: no transform has the name 'LoadImage'"),
        ('train_dataloader.sampler.type', 'InfinitSampler', "train_dataloader.sampler.type: no data sampler has the name 'InfinitSampler'; the closest are InfiniteSampler"),
        ('train_dataloader.sampler.rounds', 2, 'train_dataloader.sampler.rounds: InfiniteSampler takes no'),
        ('train_dataloader.batch_sampler', dict(type='None'), "train_dataloader.batch_sampler.type: no data sampler has the name 'None'"),
        ('train_dataloader.collate_fn', dict(type='pseudo_colate'), "train_dataloader.collate_fn.type: no function has the name 'pseudo_colate'"),
        ('val_evaluator.metrics', ['mIoU'], None),
        ('test_evaluator.type', 'StreetIoU', "test_evaluator.type: no metric has the name 'StreetIoU'"),
        ('train_cfg.max_epoch', 3, 'train_cfg.max_epoch: IterBasedTrainLoop takes no'),
        ('train_cfg.type', 'EpochBasedTrainLoop', 'train_cfg.max_iters: EpochBasedTrainLoop takes no'),
        ('val_cfg.interval', 3, 'val_cfg.interval: ValLoop takes no'),
        ('default_hooks.logger.intervall', 3, 'default_hooks.logger.intervall: LoggerHook takes no'),
        ('default_hooks.new', dict(interval=1), 'default_hooks.new: a dict without type: name the hook to build as default_hooks.new.type'),
        ('custom_hooks.0.optimise', True, 'custom_hooks.0.optimise: SwitchToDeployHook takes no'),
        ('custom_hooks.1.type', 'LoadWeightHook', "custom_hooks.1.type: no hook has the name 'LoadWeightHook'; the closest are LoadWeightsHook"),
        ('optim_wrapper.optimizer.learning_rate', 1, 'optim_wrapper.optimizer.learning_rate: SGD takes no'),
        ('optim_wrapper.optimizer.type', 'Sgd', "optim_wrapper.optimizer.type: no optimizer has the name 'Sgd'"),
        ('optim_wrapper.clip', 1, 'optim_wrapper.clip: OptimWrapper takes no'),
        ('optim_wrapper.constructor', 'Mine', "optim_wrapper.constructor: no optimizer wrapper constructor has the name 'Mine'"),
        ('param_scheduler.0.powr', 1, 'param_scheduler.0.powr: PolyLR takes no argument of this name (got 1); the closest are power'),
        ('param_scheduler.0.type', 'StepLR', 'param_scheduler.0.power: StepLR takes no'),
        ('visualizer.vis_backends.0.type', 'LocalVis', "visualizer.vis_backends.0.type: no vis_backend has the name 'LocalVis'"),
        ('visualizer.colour', 1, 'visualizer.colour: SegLocalVisualizer takes no'),
        ('log_processor.window', 1, 'log_processor.window: LogProcessor takes no'),
        ('tta_model.modul', 1, 'tta_model.modul: MeanProbabilityTTAModel takes no'),
        ('test_cfg.type', 'TestLop', "test_cfg.type: no loop has the name 'TestLop'; the closest are TestLoop"),
        # mmengine and mmseg take these without a word: their constructors have a **kwargs of their own
        ('train_dataloader.dataset.pipeline.3.scales', 1, 'train_dataloader.dataset.pipeline.3.scales: RandomResize takes no'),
        ('train_dataloader.dataset.pipeline.3.keep_ratio', True, None),  # goes on to Resize
        ('val_evaluator.iou_metric', ['mIoU'], 'val_evaluator.iou_metric: StreetIoUMetric takes no'),
        ('default_hooks.checkpoint.intervall', 3, 'default_hooks.checkpoint.intervall: CheckpointHook takes no argument of this name (got 3); the closest are interval'),
        ('default_hooks.checkpoint.backend', 'x', 'default_hooks.checkpoint.backend: CheckpointHook takes no'),
        # a value of another kind
        ('model', 'PSPNet', "model: got 'PSPNet'; give a dict, such as dict(type='PSPNet', ...)"),
        ('model.decode_head', 'PSPHead', "model.decode_head: got 'PSPHead', text; it takes a dict"),
        ('model.decode_head.norm_cfg', 'BN', "model.decode_head.norm_cfg: got 'BN'; give a dict, such as dict(type='BN', ...)"),
        ('model.decode_head.sampler', dict(type='OHEMPixelSampler', tresh=0.7), 'model.decode_head.sampler.tresh: OHEMPixelSampler takes no'),
        ('model.decode_head.sampler', dict(type='OHEMPixelSampler', thresh=0.7), None),
        ('model.decode_head.num_classes', '19', "model.decode_head.num_classes: got '19', text; it takes a number"),
        ('model.decode_head.align_corners', 'no', "model.decode_head.align_corners: got 'no', text; it takes True or False"),
        ('model.decode_head.in_channels', [64], None),
        ('train_dataloader', 5, 'train_dataloader: got 5; give a dict'),
        ('train_dataloader.batch_size', 2.5, 'train_dataloader.batch_size: got 2.5; give a whole number'),
        ('train_dataloader.batch_size', 0, 'train_dataloader.batch_size: got 0; give a number from 1 on'),
        ('train_dataloader.num_workers', -1, 'train_dataloader.num_workers: got -1; give a number from 0 on'),
        ('train_dataloader.drop_last', 'yes', "train_dataloader.drop_last: got 'yes', text; it takes True or False"),
        ('train_dataloader.dataset', 'CityscapesDataset', "train_dataloader.dataset: got 'CityscapesDataset'; give a dict"),
        ('train_dataloader.dataset.pipeline', dict(type='Resize'), "train_dataloader.dataset.pipeline: got {'type': 'Resize'}; give a list of dicts"),
        ('train_dataloader.dataset.data_root', 2024, 'train_dataloader.dataset.data_root: got 2024, a number; it takes text'),
        ('train_dataloader.dataset.img_suffix', ('.png', '.PNG'), None),  # mmseg's annotation says text
        ('train_dataloader.sampler', 'InfiniteSampler', "train_dataloader.sampler: got 'InfiniteSampler'; give a dict"),
        ('train_cfg.max_iters', '80k', "train_cfg.max_iters: got '80k', text; it takes a number"),
        ('train_cfg.max_iters', 0, 'train_cfg.max_iters: got 0; give a number from 1 on'),
        ('train_cfg.max_iters', 80e3, None),
        ('train_cfg.val_interval', 0, 'train_cfg.val_interval: got 0; give a number from 1 on'),
        ('train_cfg.by_epoch', False, 'train_cfg: give either type (such as IterBasedTrainLoop) or by_epoch'),
        ('train_cfg', dict(_delete_=True, max_iters=5), 'train_cfg: give either type (such as IterBasedTrainLoop) or by_epoch'),
        ('train_cfg', dict(_delete_=True, by_epoch=False, max_iters=5), None),
        ('val_evaluator.iou_metrics', 'mIoU', "val_evaluator.iou_metrics: got 'mIoU', text; it takes a list"),
        ('optim_wrapper', 'AmpOptimWrapper', "optim_wrapper: got 'AmpOptimWrapper'; give a dict"),
        ('optim_wrapper.optimizer', 'SGD', "optim_wrapper.optimizer: got 'SGD'; give a dict"),
        ('optim_wrapper.optimizer.lr', '0.01', "optim_wrapper.optimizer.lr: got '0.01', text; it takes a number"),
        ('optim_wrapper.optimizer.lr', -0.1, 'optim_wrapper.optimizer.lr: got -0.1; give a number from 0 on'),
        ('optim_wrapper', dict(type='AmpOptimWrapper', loss_scale=512.0), None),  # mmengine's annotation says text
        ('param_scheduler', 5, 'param_scheduler: got 5; give a dict'),
        ('param_scheduler', None, None),
        ('default_hooks', [dict(type='LoggerHook')], 'default_hooks: got [{'),
        ('default_hooks.logger', 'LoggerHook', "default_hooks.logger: got 'LoggerHook'; give a dict"),
        ('default_hooks.logger.interval', 'often', "default_hooks.logger.interval: got 'often', text; it takes a number"),
        ('default_hooks.timer', None, None),
        ('custom_hooks', dict(type='EMAHook'), "custom_hooks: got {'type': 'EMAHook'}; give a list of dicts"),
        ('custom_hooks', ['EMAHook'], "custom_hooks.0: got 'EMAHook'; give a dict, such as dict(type='EMAHook', ...)"),
        ('custom_hooks.0.priority', 'LATE', "custom_hooks.0.priority: got 'LATE'; give one of HIGHEST,"),
        ('custom_hooks.0.priority', 101, 'custom_hooks.0.priority: got 101; give one of HIGHEST,'),
        ('custom_hooks.0.priority', 30, None),
        ('visualizer.vis_backends', ['LocalVisBackend'], "visualizer.vis_backends.0: got 'LocalVisBackend'; give a dict"),
        ('visualizer.vis_backends', dict(type='LocalVisBackend'), "visualizer.vis_backends: got {'type': 'LocalVisBackend'}; give a list of dicts"),
        ('model.decode_head.init_cfg', False, None),
        ('model.auxiliary_head', False, 'model.auxiliary_head: got False; give a dict'),
        ('model.decode_head.init_cfg', {}, None),  # the same as none
        ('model.decode_head.init_cfg', dict(type='Norml'), "model.decode_head.init_cfg.type: no weight initializer has the name 'Norml'"),
        ('model.backbone', dict(_delete_=True, type='MixVisionTransformer', init_cfg=dict(type='own')), None),  # it reads init_cfg itself
        ('model.backbone._scope_', 'mmseg', None),
        ('custom_hooks.0.priority', 'LOW', None),
        ('param_scheduler.0.convert_to_iter_based', True, None),
        ('train_dataloader.num_batch_per_epoch', 2, None),
        ('optim_wrapper.paramwise_cfg', dict(norm_decay_mult=0.0), None),
        ('train_dataloader.dataset.type', CityscapesDataset, None),
        ('default_hooks.timer.type', 'mmengine.hooks.IterTimerHook', None),
        ('default_hooks.timer.type', 'mmengine.IterTimerHook', None),
        ('default_hooks.timer.type', IterTimerHook, None),
        ('visualizer.vis_backends', [dict(type='LocalVisBackend', name='disk')], None),
    ],
)  # fmt: skip
def test_the_place_of_a_fault(key, value, message):
    cfg = synthetic()
    set_options(cfg, {key: value})
    if key == 'val_evaluator.metrics':
        cfg.val_evaluator = dict(metrics=[dict(type='StreetIoUMetric', iou_metrics=value)])
    if message is None:
        check_config(cfg, EVERYTHING)
        return
    with pytest.raises(InputError) as error:
        check_config(cfg, EVERYTHING)
    assert message in str(error.value) and '\n' not in str(error.value)


def test_a_missing_argument_and_a_missing_type():
    cfg = synthetic()
    del cfg.model.decode_head['num_classes'], cfg.model.decode_head['channels']
    with pytest.raises(InputError, match=r'PSPHead needs channels, num_classes.*set model.decode_head.channels, model'):
        check_config(cfg, ['model'])
    cfg = synthetic()
    del cfg.model.backbone['type']
    with pytest.raises(InputError, match='name the model to build as model.backbone.type'):
        check_config(cfg, ['model'])
    cfg = synthetic()
    del cfg.val_dataloader['sampler']
    with pytest.raises(InputError, match='set val_dataloader.sampler'):
        check_config(cfg, VALIDATION)


def test_only_what_is_built_is_checked():
    cfg = synthetic(test_dataloader__foo=1, model__foo=1)
    check_config(cfg, VALIDATION)
    for parts in (['model'], TEST):
        with pytest.raises(InputError):
            check_config(cfg, parts)


NORM = dict(type='SyncBN', requires_grad=True)
LOSS = dict(type='CrossEntropyLoss', use_sigmoid=False, loss_weight=1.0)
RESNET = dict(
    type='ResNetV1c', depth=50, num_stages=4, out_indices=(0, 1, 2, 3), dilations=(1, 1, 2, 4), strides=(1, 2, 1, 1),
    norm_cfg=NORM, norm_eval=False, style='pytorch', contract_dilation=True,
)  # fmt: skip
AUXILIARY = dict(
    type='FCNHead', in_channels=1024, in_index=2, channels=256, num_convs=1, concat_input=False, dropout_ratio=0.1,
    num_classes=19, norm_cfg=NORM, align_corners=False, loss_decode=LOSS,
)  # fmt: skip
OCR = dict(
    in_channels=[18, 36, 72, 144], in_index=(0, 1, 2, 3), input_transform='resize_concat', channels=270, dropout_ratio=-1,
    num_classes=19, norm_cfg=NORM, align_corners=False, loss_decode=[LOSS, dict(type='DiceLoss', loss_name='loss_dice')],
)  # fmt: skip
MODELS_OF_MMSEG = dict(
    deeplabv3plus=dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[0.0], std=[1.0], size=(64, 64)),
        pretrained='open-mmlab://resnet50_v1c',
        backbone=RESNET,
        decode_head=dict(
            type='DepthwiseSeparableASPPHead', in_channels=2048, in_index=3, channels=512, dilations=(1, 12, 24, 36),
            c1_in_channels=256, c1_channels=48, dropout_ratio=0.1, num_classes=19, norm_cfg=NORM, align_corners=False,
            loss_decode=LOSS, sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=100000),
        ),
        auxiliary_head=[AUXILIARY, dict(AUXILIARY, in_index=1)],
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    ),
    upernet=dict(
        type='EncoderDecoder',
        backbone=dict(
            type='SwinTransformer', embed_dims=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], window_size=7,
            act_cfg=dict(type='GELU'), norm_cfg=dict(type='LN', requires_grad=True), use_abs_pos_embed=False,
            init_cfg=dict(type='Pretrained', checkpoint='x.pth'),
        ),
        neck=dict(type='FPN', in_channels=[96, 192], out_channels=96, num_outs=2),
        decode_head=dict(
            type='UPerHead', in_channels=[96, 192, 384, 768], in_index=[0, 1, 2, 3], pool_scales=(1, 2, 3, 6),
            channels=512, num_classes=150, norm_cfg=NORM, loss_decode=LOSS,
            init_cfg=dict(type='Normal', std=0.01, override=dict(name='conv_seg')),
        ),
    ),
    segformer=dict(
        type='EncoderDecoder',
        backbone=dict(
            type='MixVisionTransformer', in_channels=3, embed_dims=32, num_stages=4, num_layers=[2, 2, 2, 2],
            num_heads=[1, 2, 5, 8], patch_sizes=[7, 3, 3, 3], sr_ratios=[8, 4, 2, 1], out_indices=(0, 1, 2, 3),
            mlp_ratio=4, qkv_bias=True, drop_rate=0.0, attn_drop_rate=0.0, drop_path_rate=0.1,
        ),
        decode_head=dict(
            type='SegformerHead', in_channels=[32, 64, 160, 256], in_index=[0, 1, 2, 3], channels=256, num_classes=19,
            norm_cfg=NORM, act_cfg=dict(type='ReLU', inplace=True), loss_decode=LOSS,
        ),
    ),
    ocr=dict(
        type='CascadeEncoderDecoder',
        num_stages=2,
        backbone=dict(type='HRNet', norm_cfg=NORM, extra=dict(stage1=dict(num_modules=1, block='BOTTLENECK'))),
        decode_head=[
            dict(OCR, type='FCNHead', kernel_size=1, num_convs=1, concat_input=False),
            dict(OCR, type='OCRHead', ocr_channels=256),
        ],
    ),
)  # fmt: skip


@pytest.mark.parametrize('name', MODELS_OF_MMSEG)
def test_models_of_mmseg_pass_and_their_faults_are_found(name):
    cfg = Config(dict(model=MODELS_OF_MMSEG[name], default_scope='mmseg'))
    check_config(cfg, ['model'])
    heads = cfg.model.decode_head
    (heads[1] if name == 'ocr' else heads)['chanels'] = 3
    with pytest.raises(InputError, match=r'model\.decode_head\.(1\.)?chanels: \w+Head takes no argument'):
        check_config(cfg, ['model'])


PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomChoiceResize', scales=[(64, 64)], resize_type='ResizeShortestEdge', max_size=128),
    dict(type='RandomApply', prob=0.3, transforms=[dict(type='PhotoMetricDistortion')]),
    dict(
        type='RandomChoice',
        transforms=[[dict(type='RandomFlip', prob=0.5)], [dict(type='Resize', scale=(64, 64)), dict(type='RandomCutOut', prob=0.5, n_holes=1, cutout_ratio=(0.1, 0.1))]],
    ),
    dict(type='Albu', transforms=[dict(type='OneOf', transforms=[dict(type='Blur')], p=0.1)]),
    dict(type='PackSegInputs'),
]  # fmt: skip


def datasets(pipeline=PIPELINE):
    one = dict(type='CityscapesDataset', data_root='a', pipeline=pipeline, data_prefix=dict(img_path='b'))
    return dict(
        concat=dict(type='ConcatDataset', datasets=[one, dict(type='RepeatDataset', times=2, dataset=one)]),
        mixed=dict(type='MultiImageMixDataset', dataset=one, pipeline=[dict(type='RandomMosaic', prob=1.0)]),
        classes=dict(type='ClassBalancedDataset', oversample_thr=0.1, dataset=one),
    )


@pytest.mark.parametrize('name', datasets())
def test_wrapped_data_sets_pass_and_their_faults_are_found(name):
    def check(dataset):
        cfg = synthetic()
        cfg.train_dataloader.dataset = dataset
        check_config(cfg, ['train_dataloader'])

    check(datasets()[name])
    faulty = [*PIPELINE[:3], dict(type='RandomApply', transforms=[dict(type='PhotoMetric')])]
    with pytest.raises(InputError, match=r"pipeline\.3\.transforms\.0\.type: no transform has the name 'PhotoMetric'"):
        check(datasets(faulty)[name])


def test_schedulers_of_several_optimizers_and_constructors():
    cfg = synthetic()
    cfg.param_scheduler = dict(
        generator=[dict(type='LinearLR', start_factor=1e-3, by_epoch=False)],
        critic=dict(type='MultiStepLR', milestones=[1, 2]),
    )
    cfg.optim_wrapper = dict(
        type='AmpOptimWrapper', loss_scale='dynamic', accumulative_counts=2, clip_grad=dict(max_norm=1),
        constructor='LearningRateDecayOptimizerConstructor', paramwise_cfg=dict(num_layers=12),
        optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999)),
    )  # fmt: skip
    check_config(cfg, TRAINING)
    del cfg.param_scheduler.critic['milestones']
    with pytest.raises(InputError, match='param_scheduler.critic: MultiStepLR needs milestones'):
        check_config(cfg, TRAINING)


class Unjudged(nn.Module):
    """Somebody else's module, which reads its norm_cfg in its own way."""

    def __init__(self, norm_cfg, **kwargs):
        super().__init__()
        self.norm_cfg, self.others = norm_cfg, kwargs


class FromBase(Hook):
    def __init__(self, size):
        pass


def test_other_peoples_classes(monkeypatch):
    monkeypatch.setitem(MODELS._module_dict, 'Unjudged', Unjudged)
    monkeypatch.setitem(HOOKS._module_dict, 'FromBase', FromBase)
    cfg = synthetic(
        model__backbone=dict(_delete_=True, type='Unjudged', norm_cfg=dict(type='own', a=1), anything=2),
        custom_hooks=[dict(type='FromBase', size=1)],
    )
    check_config(cfg, TRAINING)
    cfg.custom_hooks[0].pop('size')
    with pytest.raises(InputError, match='FromBase needs size'):
        check_config(cfg, TRAINING)


def test_a_registered_function_and_a_class_without_constructor(monkeypatch):
    monkeypatch.setitem(TRANSFORMS._module_dict, 'step', lambda prob: None)
    cfg = synthetic()
    cfg.train_dataloader.dataset.pipeline.append(dict(type='step', prob=1))
    check_config(cfg, TRAINING)
    cfg.train_dataloader.dataset.pipeline[-1]['p'] = 1
    with pytest.raises(InputError, match=r'pipeline\.\d+\.p: .* takes no argument of this name'):
        check_config(cfg, TRAINING)
    monkeypatch.setitem(HOOKS._module_dict, 'Plain', type('Plain', (), {}))
    with pytest.raises(InputError, match='Plain takes no argument of this name .*; its arguments: none'):
        check_config(synthetic(custom_hooks=[dict(type='Plain', size=1)]), TRAINING)


def test_the_default_scope_decides_which_class_has_a_name(monkeypatch):
    """A scope that is not installed falls back to mmseg's, as mmengine does."""
    cfg = synthetic(default_scope='nobodys')
    check_config(cfg, TRAINING)
    cfg.model.backbone._scope_ = 'mmengine'
    check_config(cfg, ['model'])
