"""Alembic's entry: runs the steps on the connection it is given, inside that connection's transaction."""

from __future__ import annotations

from alembic import context

from maintenance.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
