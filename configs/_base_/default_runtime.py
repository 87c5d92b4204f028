custom_imports = dict(imports=['repvgg_seg'])
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
custom_hooks = [
    dict(type='SwitchToDeployHook'),  # evaluation, also during training, is of the fused network
    dict(type='LoadWeightsHook'),  # `load_from` takes RepVGG weights of any family
    dict(type='CheckHeadsHook'),  # heads that do not fit backbone or data set are refused
    dict(type='BatchSizeHook'),  # so is a batch that BN cannot learn from
    dict(type='RankSeedHook'),  # each process augments by random numbers of its own
    dict(type='SyncBuffersHook'),  # and all evaluate the same BN statistics
]
log_level = 'INFO'
load_from = None
resume = False
tta_model = dict(type='SegTTAModel')
