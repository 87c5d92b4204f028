"""Damaged files, made from whole ones by chance, for the readers of strangers' files."""
