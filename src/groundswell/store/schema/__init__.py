"""The tables of the event store, as numbered migrations, and what applies them."""

from __future__ import annotations

from groundswell.store.schema.migrator import Migration, migrate, migrations

# Every table with rows of projects.
DATA_TABLES = ("errors", "transactions", "spans", "functions", "profiles", "outcomes")

__all__ = ["DATA_TABLES", "Migration", "migrate", "migrations"]
