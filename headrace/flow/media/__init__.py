"""Frames of files without a pipeline of the user's own: what is in a file, pictures from it."""
