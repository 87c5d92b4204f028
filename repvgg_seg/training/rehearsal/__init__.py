"""The rehearsal: one batch of the training and one of the validation before iteration 1, and all is as it was before."""

from .rehearse import rehearse_test, rehearse_training

__all__ = ['rehearse_test', 'rehearse_training']
