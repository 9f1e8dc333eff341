"""The ledger's tables; the migrations in `dutyroom/migrations` make them, a test holds both to each other."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)

from ingest.repairs import RepairKind
from maintenance.ledger.columns import Grade, Word
from maintenance.ledger.rows import Happening, NoticeKind, NoticeState, Phrase
from maintenance.people import Role
from maintenance.ticket import CauseCode, Resolution, State, Verdict, WaitingFor
from plant.severity import Severity
from plant.site import Mode

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A row number that grows and is never used again; INTEGER is what SQLite needs for that.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

tickets = Table(
    "tickets",
    metadata,
    Column("seq", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("equipment", Text, nullable=False),
    Column("rule", Text),
    Column("severity", Grade(Severity), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("state", Word(State), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("cause", Text, index=True),
    Column("parent", Text, ForeignKey("tickets.id"), index=True),
    Column("repeat_of", Text, ForeignKey("tickets.id")),
    Column("failed_repair_of", Text, ForeignKey("tickets.id")),
    Column("reopened", Integer, nullable=False),
    Column("assignee", Text),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("started_at", BigInteger),
    Column("done_at", BigInteger),
    Column("verify_by", BigInteger),
    Column("counted_ms", BigInteger, nullable=False),
    Column("needed_ms", BigInteger, nullable=False),
    Column("verified_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("resolution", Word(Resolution)),
    Column("verdict", Word(Verdict)),
    Column("cause_code", Word(CauseCode)),
    Column("waiting_for", Word(WaitingFor)),
    Column("ack_due", BigInteger),
    Column("arrive_due", BigInteger),
    Column("restore_due", BigInteger),
    Column("arrive_late", Boolean, nullable=False),
    Column("restore_late", Boolean, nullable=False),
    Column("remind_at", BigInteger),
    Column("quiet", Boolean, nullable=False),
    Column("wake_at", BigInteger, index=True),
    Index("ix_tickets_equipment_rule", "equipment", "rule"),
    Index("ix_tickets_state_seq", "state", "seq"),
    sqlite_autoincrement=True,
)

_UNFINISHED = text("rule IS NOT NULL AND state NOT IN ('closed', 'cancelled')")
Index(
    "uq_tickets_one_open",
    tickets.c.equipment,
    tickets.c.rule,
    unique=True,
    sqlite_where=_UNFINISHED,
    postgresql_where=_UNFINISHED,
)
Index("ix_tickets_quiet", tickets.c.seq, sqlite_where=text("quiet = 1"), postgresql_where=text("quiet"))

proofs = Table(
    "proofs",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("equipment", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("mode", Word(Mode), nullable=False),
    Column("severity", Grade(Severity), nullable=False),
    Column("highest", Grade(Severity), nullable=False),
    Column("onset_at", BigInteger, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("verified_at", BigInteger),
    Column("unevaluable", Boolean, nullable=False),
    Column("members", Text, nullable=False),
    Column("cause", Text),
    Column("suppressed", Boolean, nullable=False),
    Column("proof_hash", Text, ForeignKey("proofs.hash")),
    Column("ticket", Text, ForeignKey("tickets.id"), index=True),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Index("uq_alarms_equipment_rule_raised_at", "equipment", "rule", "raised_at", unique=True),
    Index("ix_alarms_cleared_at", "cleared_at"),
    sqlite_autoincrement=True,
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("kind", Word(Happening), nullable=False),
    Column("ticket", Text, ForeignKey("tickets.id"), index=True),
    Column("alarm", _NUMBER, ForeignKey("alarms.id"), index=True),
    Column("source", Word(State)),
    Column("target", Word(State)),
    Column("text", Text, nullable=False),
    Column("proof_hash", Text, ForeignKey("proofs.hash")),
    Column("key", Text),
    Index("uq_timeline_key", "key", unique=True),
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("kind", Word(NoticeKind), nullable=False),
    Column("channel", Text, nullable=False),
    Column("ticket", Text, ForeignKey("tickets.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("facts", Text, nullable=False),
    Column("state", Word(NoticeState), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("last_answer", Text, nullable=False),
    Index("ix_outbox_state_next_at", "state", "next_at"),
    sqlite_autoincrement=True,
)

mutes = Table(
    "mutes",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("equipment", Text, nullable=False),
    Column("rule", Text),
    Column("ticket", Text, ForeignKey("tickets.id"), index=True),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
    Index("ix_mutes_ended_at_until", "ended_at", "until"),
    Index("ix_mutes_equipment", "equipment"),
    sqlite_autoincrement=True,
)

fault_reports = Table(
    "fault_reports",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("ticket", Text, ForeignKey("tickets.id"), nullable=False, index=True),
    Column("at", BigInteger, nullable=False),
    Column("phrase", Word(Phrase), nullable=False),
    Column("text", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("merged", Boolean, nullable=False),
    Column("token_sha256", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

photos = Table(
    "photos",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("ticket", Text, ForeignKey("tickets.id"), nullable=False, index=True),
    Column("sha256", Text, nullable=False, index=True),
    Column("bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

equipment_codes = Table(
    "equipment_codes",
    metadata,
    Column("equipment", Text, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("args", Text, nullable=False),
    Column("relayed_offset", BigInteger, index=True),
    sqlite_autoincrement=True,
)

config_revisions = Table(
    "config_revisions",
    metadata,
    Column("revision", _NUMBER, primary_key=True, autoincrement=True),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("relayed_offset", BigInteger),
    sqlite_autoincrement=True,
)

consumer_offsets = Table(
    "consumer_offsets",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("partition", Text, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("lease_epoch", BigInteger, nullable=False),
    Column("now", BigInteger),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("offset", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_quarantine_reason_id", "reason", "id"),
    sqlite_autoincrement=True,
)

discovered = Table(
    "discovered",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pattern", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Column("ignored_by", Text),
)

acceptances = Table(
    "acceptances",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("in_files", Boolean, nullable=False),
    Column("messages", BigInteger),
    Column("readings", BigInteger),
    Column("rejected", BigInteger),
    sqlite_autoincrement=True,
)

reject_counts = Table(
    "reject_counts",
    metadata,
    Column("reason", Text, primary_key=True),
    Column("topic_prefix", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

repairs = Table(
    "repairs",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("offset", BigInteger, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("point", Text, nullable=False),
    Column("kind", Word(RepairKind), nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("original", Double, nullable=False),
    Column("repaired", Double, nullable=False),
    Column("before", Double, nullable=False),
    Column("shift", Double, nullable=False),
    Index("ix_repairs_equipment_point_kind", "equipment", "point", "kind", "id"),
    sqlite_autoincrement=True,
)

commissionings = Table(
    "commissionings",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("report", LargeBinary),
    Column("released", Boolean),
    Column("reason", Text, nullable=False),
    Index("ix_commissionings_equipment_id", "equipment", "id"),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Word(Role), nullable=False),
    Column("password", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False, server_default=false()),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("sha256", Text, nullable=False, unique=True),
    Column("user", Text, ForeignKey("users.name"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)

tokens = Table(
    "tokens",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index("ix_audit_subject_id", "subject", "id"),
    sqlite_autoincrement=True,
)
