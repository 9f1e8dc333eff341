"""The ledger of repairs: what stands in the place of doubtful readings, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "repairs",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("point", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("original", sa.Double(), nullable=False),
        sa.Column("repaired", sa.Double(), nullable=False),
        sa.Column("before", sa.Double(), nullable=False),
        sa.Column("shift", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repairs")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_repairs_equipment_point_kind"), "repairs", ["equipment", "point", "kind", "id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_repairs_equipment_point_kind"), table_name="repairs")
    op.drop_table("repairs")
