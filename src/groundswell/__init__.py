"""Sentry-compatible event statistics, trends and Slack charts in one service."""

__version__ = "0.1.0"
