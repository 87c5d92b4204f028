"""What a training has left: its curves, its config, its records."""
