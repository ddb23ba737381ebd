"""Organizations, keys, rules and the like: SQLAlchemy Core on SQLite or PostgreSQL."""
