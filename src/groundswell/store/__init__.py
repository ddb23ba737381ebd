"""Where things are kept: the event store (ClickHouse) and the metadata (SQLite or PostgreSQL)."""
