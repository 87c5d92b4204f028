# What every run needs, whatever its model, data and schedule.
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
    dict(type='SwitchToDeployHook'),  # evaluates the fused network, also during training
    dict(type='LoadWeightsHook'),  # lets `load_from` take RepVGG weights of any family of names
    dict(type='CheckHeadsHook'),  # refuses heads that do not fit the backbone or the data set
    dict(type='BatchSizeHook'),  # refuses a batch that BN cannot learn from
    dict(type='ParamwiseHook'),  # keeps learning rates of 0 under every schedule
    dict(
        type='RankSeedHook'
    ),  # gives each process and iteration random numbers of its own, which a resumed run draws again
    dict(type='FiniteLossHook'),  # stops where the loss is NaN or infinite; action='skip' passes over such iterations
    dict(type='SyncBuffersHook'),  # lets all processes evaluate the same BN statistics
    dict(type='TooLargeImagesHook'),  # computes images that do not fit in memory in windows
]
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
log_level = 'INFO'
load_from = None
resume = False
tta_model = dict(type='MeanProbabilityTTAModel')
