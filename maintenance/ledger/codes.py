"""The code on a machine's label: eight characters that say nothing of the machine and are never given twice."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, insert, select

from maintenance.ledger.tables import equipment_codes as table
from plant.errors import BadInput, NotFound

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O and U, so that a stained label can still be read aloud."""
LENGTH = 8

_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def normal(text: str) -> str:
    """A code as it is stored, from what somebody typed or scanned: `abcd-efgh`, an O for a zero. Raises BadInput."""
    code = text.upper().translate(_READ_AS)
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        raise BadInput(
            f"{text[:20]!r} is no equipment code; expected the {LENGTH} characters under the square on the label"
        )
    return code


def printed(code: str) -> str:
    """The code as a label shows it: `ABCD-EFGH`."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def all_codes(connection: Connection) -> dict[str, str]:
    """Equipment id → code of every equipment that has one."""
    return {row.equipment: row.code for row in connection.execute(select(table.c.equipment, table.c.code))}


def equipment_of(connection: Connection, code: str) -> str:
    """The id of the equipment that bears a code, as it was typed; raises BadInput and NotFound."""
    query = select(table.c.equipment).where(table.c.code == normal(code))
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no equipment bears the code {printed(normal(code))}; compare it with the label")
    return str(found)


def ensure(connection: Connection, equipment: Collection[str], now: int) -> Mapping[str, str]:
    """The code of each of these; who has none gets one, by chance and not from the id, and keeps it for ever."""
    known = all_codes(connection)
    taken = set(known.values())
    for id in sorted(set(equipment) - set(known)):
        code = _new(taken)
        connection.execute(insert(table).values(equipment=id, code=code, at=now))
        taken.add(code)
        known[id] = code
    return {id: known[id] for id in equipment}


def _new(taken: Collection[str]) -> str:
    while (code := "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))) in taken:
        continue
    return code
