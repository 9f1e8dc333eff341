"""The ledger: alarms, tickets and everything people decided, in one file that one thread writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from history.entries import Command
from maintenance.ledger import acts, intake, offsets, passwords, queries, relay, secrets, users
from maintenance.ledger.book import Book
from maintenance.ledger.database import Database
from maintenance.ledger.rows import ConfigRevision, EngineCommit, Policy, User
from maintenance.ledger.schema import migrate
from maintenance.moves import Move
from maintenance.people import Actor, Role
from maintenance.ticket import Ticket, Verdict

P = ParamSpec("P")
T = TypeVar("T")


class Ledger:
    """Writes go to the one writer thread and are durable when a method returns; reads run in the caller's thread.

    Times are plant time, ms UTC. Beside the errors each method names, any may raise Unavailable (another process
    holds the file), StorageFull or Corrupt. Other processes may open the same file: every write begins IMMEDIATE.
    """

    def __init__(self, database: Database, policy: Policy) -> None:
        self._database = database
        self._policy = policy

    @staticmethod
    @contextmanager
    def open(path: Path, policy: Policy | None = None) -> Iterator[Ledger]:
        """Open (or make) the ledger at `path`, its schema brought up to this version; closed at the end of `with`."""
        migrate(path)
        database = Database(path)
        try:
            yield Ledger(database, policy or Policy())
        finally:
            database.close()

    def read(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function of `queries`, `outbox`, `rejects`, `users` on one unchanging view of the ledger."""
        return self._database.read(query, *args, **kwargs)

    def write(self, act: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in one write transaction, undone when it raises."""
        return self._database.write(act, *args, **kwargs)

    def submit(self, act: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The same without waiting."""
        return self._database.submit(act, *args, **kwargs)

    # The engine

    def commit_engine(self, commit: EngineCommit) -> None:
        """Write events, rejects, repairs, clock-driven moves and the offset, all or nothing.

        Raises Conflict when the offset or the lease is not what the commit expects; nothing is written then.
        """
        self.write(intake.commit_engine, commit, self._policy)

    def tick(self, now: int) -> None:
        """Strike every deadline up to `now`, where no engine runs; `commit_engine` does so itself."""
        self.write(intake.tick, self._policy, now)

    def offset(self, consumer: str, partition: str) -> int:
        """The last journal offset committed; 0 when none."""
        return self.read(offsets.offset, consumer, partition)

    def take_lease(self, consumer: str, partition: str) -> int:
        """The epoch a starting writer commits with; earlier ones can commit no more."""
        return self.write(offsets.take_lease, consumer, partition)

    def plant_now(self) -> int | None:
        """The plant time reached at the last commit; None before the first."""
        return self.read(offsets.plant_now)

    # People

    def move_ticket(self, id: str, move: Move, *, version: int | None = None) -> Ticket:
        """Move a ticket; `version` is the one the person saw, None takes whichever is there.

        Raises NotFound, BadInput (reason missing), NotPermitted, and Conflict naming the versions or allowed moves.
        """
        return self.act(move.at, acts.move_ticket, id, version, move)

    def open_ticket(self, report: acts.Report, actor: Actor, now: int) -> Ticket:
        """A ticket made by a person; Conflict when the alarm reported has one already."""
        return self.act(now, acts.open_ticket, report, actor)

    def act(self, now: int, act: Callable[Concatenate[Book, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function of `acts`, `alarmdesk`, `reports`, `photos` in one transaction at plant time `now`."""
        return self.write(lambda connection: act(Book(connection, self._policy, now), *args, **kwargs))

    def comment(self, id: str, actor: Actor, text: str, now: int) -> None:
        """Add a comment to a ticket's timeline."""
        self.act(now, acts.comment, acts.Wish(id, actor), text)

    def assign(self, id: str, version: int | None, assignee: str | None, *, actor: Actor, now: int) -> Ticket:
        """Give a ticket to somebody (None: to nobody)."""
        return self.act(now, acts.assign, acts.Wish(id, actor, version), assignee)

    def verdict(self, id: str, version: int | None, verdict: Verdict, *, actor: Actor, now: int) -> Ticket:
        """Record whether the rule was right."""
        return self.act(now, acts.judge, acts.Wish(id, actor, version), verdict)

    def reset_alarm(self, id: int, actor: Actor, now: int) -> int:
        """Ask the engine to reset a latched alarm; returns the command's number."""
        return self.act(now, acts.reset_alarm, id, actor)

    # Configuration and what the journal must learn

    def retire_rule(self, rule: str, now: int) -> list[str]:
        """Park the tickets of a rule that is no more."""
        return self.act(now, acts.retire_rule, rule)

    def retire_equipment(self, equipment: str, now: int) -> list[str]:
        """Cancel the tickets of an equipment that is no more."""
        return self.act(now, acts.retire_equipment, equipment)

    def add_config(self, content: bytes, author: str, now: int) -> ConfigRevision:
        """Keep a configuration; the same content as the newest stays that revision."""
        return self.write(relay.add_config, content, author, now)

    def latest_config(self) -> ConfigRevision | None:
        """The newest configuration; None before the first."""
        return self.read(relay.latest_config)

    def pending_configs(self) -> list[ConfigRevision]:
        """Configurations not yet relayed to the journal, oldest first."""
        return self.read(relay.pending_configs)

    def mark_config_relayed(self, revision: int, offset: int) -> None:
        """The configuration is in the journal at `offset`."""
        self.write(relay.mark_config_relayed, revision, offset)

    def pending_commands(self) -> list[Command]:
        """People's acts not yet relayed to the journal, in order."""
        return self.read(relay.pending_commands)

    def mark_relayed(self, id: int, offset: int) -> None:
        """The command is in the journal at `offset`."""
        self.write(relay.mark_relayed, id, offset)

    def projection(self) -> queries.Projection:
        """What the same journal must always give."""
        return self.read(queries.projection)

    # Users

    def add_user(self, name: str, role: Role, *, author: str, now: int, password: str | None = None) -> str:
        """Add a user; returns a bearer token, which cannot be shown again."""
        hashed = None if password is None else passwords.hash_password(password)
        token = secrets.new_token()
        user = User(name, role, now, disabled=False, has_password=hashed is not None)

        def write(connection: Connection) -> None:
            users.add(connection, user, password=hashed, author=author)
            users.add_token(connection, name, token, now, author=author)

        self.write(write)
        return token

    def new_token(self, name: str, *, author: str, now: int) -> str:
        """One more bearer token for a user, which cannot be shown again."""
        token = secrets.new_token()
        self.write(users.add_token, name, token, now, author=author)
        return token

    def set_password(self, name: str, password: str, *, author: str, now: int) -> None:
        """Give a user a (new) password, which ends their sessions; raises BadInput when it is too short."""
        self.write(users.set_password, name, passwords.hash_password(password), now, author=author)
