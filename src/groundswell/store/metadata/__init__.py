"""Who owns what, rules, dashboards: small relational facts in SQLite or PostgreSQL."""

from __future__ import annotations

from groundswell.store.metadata.database import Metadata, database_url

__all__ = ["Metadata", "database_url"]
