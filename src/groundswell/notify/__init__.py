"""Notices on their way to people: a queue with records, e-mail and webhooks."""
