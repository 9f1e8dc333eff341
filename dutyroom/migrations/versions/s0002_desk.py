"""The desk for people: acknowledged alarms, mutes, reports without an account, photos, codes on labels, client keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("alarms", sa.Column("acknowledged_at", sa.BigInteger(), nullable=True))
    op.add_column("alarms", sa.Column("acknowledged_by", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("cause_code", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("waiting_for", sa.Text(), nullable=True))
    op.add_column("timeline", sa.Column("key", sa.Text(), nullable=True))
    op.create_index("uq_timeline_key", "timeline", ["key"], unique=True)
    # What was acknowledged before alarms knew of it: the alarms of acknowledged tickets, by whom and when.
    op.execute(
        "UPDATE alarms SET acknowledged_at = t.acknowledged_at, acknowledged_by = t.acknowledged_by FROM tickets AS t "
        "WHERE t.id = alarms.ticket AND t.acknowledged_at >= alarms.raised_at"
    )
    op.create_table(
        "mutes",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_mutes_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mutes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mutes_ticket", "mutes", ["ticket"], unique=False)
    op.create_index("ix_mutes_ended_at_until", "mutes", ["ended_at", "until"], unique=False)
    op.create_index("ix_mutes_equipment", "mutes", ["equipment"], unique=False)

    op.create_table(
        "fault_reports",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("merged", sa.Boolean(), nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_fault_reports_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fault_reports")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_fault_reports_token_sha256")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fault_reports_ticket", "fault_reports", ["ticket"], unique=False)

    op.create_table(
        "photos",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_photos_ticket")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("key", name=op.f("uq_photos_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_photos_ticket", "photos", ["ticket"], unique=False)
    op.create_index("ix_photos_sha256", "photos", ["sha256"], unique=False)

    op.create_table(
        "equipment_codes",
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("equipment", name=op.f("pk_equipment_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_equipment_codes_code")),
    )


def downgrade() -> None:
    # The older version does not know these words.
    op.execute("UPDATE outbox SET state = 'waiting' WHERE state = 'held'")
    op.execute("UPDATE outbox SET state = 'dead' WHERE state = 'dropped'")
    op.execute(
        "UPDATE timeline SET kind = 'commented' "
        "WHERE kind IN ('diagnosed', 'reported', 'photo', 'muted', 'unmuted')"
    )
    op.drop_table("equipment_codes")
    op.drop_table("photos")
    op.drop_table("fault_reports")
    op.drop_table("mutes")
    op.drop_index("uq_timeline_key", "timeline")
    op.drop_column("timeline", "key")
    op.drop_column("tickets", "waiting_for")
    op.drop_column("tickets", "cause_code")
    op.drop_column("alarms", "acknowledged_by")
    op.drop_column("alarms", "acknowledged_at")
