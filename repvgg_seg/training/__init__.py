"""What surrounds a training run: edits and checks of the config, resuming, distribution, mixed precision, hooks."""

from . import amp, hooks, layer_decay  # noqa: F401 (registers)
