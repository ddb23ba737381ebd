"""Notices → mail, webhooks and Slack: queued, retried, recorded."""
