"""Payloads → rows. Pure: the same bytes, receive time and options give the same rows."""
