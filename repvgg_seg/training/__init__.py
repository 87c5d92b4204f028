"""What surrounds a training run: edits and checks of the config, resuming, distribution, mixed precision, hooks."""

from . import amp, hooks  # noqa: F401 (registers)
