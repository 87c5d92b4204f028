"""Records of what was measured, with the environment it was measured in."""
