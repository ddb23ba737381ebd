"""Rules that watch a number, and incidents that have a beginning, a course and an end."""
