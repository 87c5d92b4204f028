from .batch_size_hook import BatchSizeHook
from .channels_last_hook import ChannelsLastHook
from .check_heads_hook import CheckHeadsHook
from .classes_seen_hook import ClassesSeenHook
from .compile_hook import CompileHook
from .evaluation_memory_hook import EvaluationMemoryHook
from .finite_loss_hook import FiniteLossHook
from .load_weights_hook import LoadWeightsHook
from .one_logit_accuracy_hook import OneLogitAccuracyHook
from .paramwise_hook import ParamwiseHook
from .rank_seed_hook import RankSeedHook
from .rehearsal_hook import RehearsalHook
from .resume_schedule_hook import ResumeScheduleHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .switch_to_deploy_hook import SwitchToDeployHook
from .too_large_images_hook import TooLargeImagesHook

__all__ = [
    'BatchSizeHook',
    'ChannelsLastHook',
    'CheckHeadsHook',
    'ClassesSeenHook',
    'CompileHook',
    'FiniteLossHook',
    'EvaluationMemoryHook',
    'LoadWeightsHook',
    'ParamwiseHook',
    'OneLogitAccuracyHook',
    'RankSeedHook',
    'RehearsalHook',
    'ResumeScheduleHook',
    'SafeCheckpointHook',
    'SwitchToDeployHook',
    'TooLargeImagesHook',
]
