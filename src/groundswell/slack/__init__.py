"""Slack: two doors, one house."""
