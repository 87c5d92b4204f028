from .batch_size_hook import BatchSizeHook
from .switch_to_deploy_hook import SwitchToDeployHook

__all__ = ['BatchSizeHook', 'SwitchToDeployHook']
