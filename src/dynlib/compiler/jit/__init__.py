"""Compiled code: made, kept on disk, loaded, called."""
