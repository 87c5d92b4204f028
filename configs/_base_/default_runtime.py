custom_imports = dict(imports=['repvgg_seg'])
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
# Evaluation, also during training, is of the fused network; a batch that BN cannot learn from is refused; `load_from`
# takes RepVGG weights of any family.
custom_hooks = [dict(type='SwitchToDeployHook'), dict(type='BatchSizeHook'), dict(type='LoadWeightsHook')]
log_level = 'INFO'
load_from = None
resume = False
tta_model = dict(type='SegTTAModel')
