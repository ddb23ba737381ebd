"""Numbered migrations of the event store."""
