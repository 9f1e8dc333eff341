"""Commissioning checks and what people decided on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "commissionings",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("released", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commissionings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_commissionings_equipment_id"), "commissionings", ["equipment", "id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_commissionings_equipment_id"), table_name="commissionings")
    op.drop_table("commissionings")
