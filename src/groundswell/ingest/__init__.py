"""Accept bytes, make them durable, turn them into rows."""
