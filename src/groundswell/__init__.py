"""Sentry-compatible event statistics, trends and Slack charts in one service."""
