"""Alembic's entry: run the revisions on the connection that the caller brought."""

from __future__ import annotations

from alembic import context

from groundswell.store.metadata.columns import registry

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=registry,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
