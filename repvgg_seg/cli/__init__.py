"""The commands. Each file parses its options, builds and calls; tools/NAME.py and `repvgg-seg NAME` are two doors to it."""
