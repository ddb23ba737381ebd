"""Payloads → rows. Pure, deterministic: the same bytes and receive time give the same rows."""
