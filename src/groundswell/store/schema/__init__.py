"""The tables of the event store, as numbered migrations, and what applies them."""

from __future__ import annotations

from groundswell.store.schema.migrator import Migration, migrate, migrations

__all__ = ["Migration", "migrate", "migrations"]
