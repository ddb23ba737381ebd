"""One builder per message: plain data → what Slack shows. Pure, clamped, escaped."""
