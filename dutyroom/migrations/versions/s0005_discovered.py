"""Unbound topic families, and what people accepted of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "discovered",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("ignored_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discovered")),
    )
    op.create_index(op.f("ix_discovered_last_at"), "discovered", ["last_at"], unique=False)
    op.create_table(
        "acceptances",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("in_files", sa.Boolean(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=True),
        sa.Column("readings", sa.BigInteger(), nullable=True),
        sa.Column("rejected", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptances")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("acceptances")
    op.drop_index(op.f("ix_discovered_last_at"), table_name="discovered")
    op.drop_table("discovered")
