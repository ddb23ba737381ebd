"""Plain frozen values that the rooms pass to each other. No I/O here."""
