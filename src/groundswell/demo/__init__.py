"""A small shop that sends real events, and the story it tells."""
