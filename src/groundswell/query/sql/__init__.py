"""A statement as data, and the only place where it becomes text."""
