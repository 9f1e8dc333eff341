"""Photos on tickets: their rows. The bytes are in the folder of photos before a row names them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from maintenance.ledger.book import Book, Note, inserted
from maintenance.ledger.rows import Happening, Photo
from maintenance.ledger.tables import photos
from maintenance.people import Actor
from plant.errors import Conflict, NotFound

MOST_OF_ONE_TICKET = 40


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo that is stored already: its SHA-256, size in bytes and in pixels."""

    sha256: str
    bytes: int
    width: int
    height: int


def add(book: Book, ticket: str, picture: Picture, actor: Actor, key: str) -> Photo:
    """Put a photo on a ticket; with the same key again it is the same photo.

    Raises NotFound for the ticket, Conflict for a key used elsewhere and beyond MOST_OF_ONE_TICKET photos.
    """
    book.ticket(ticket)
    before = book.connection.execute(select(photos).where(photos.c.key == key)).mappings().first()
    if before is not None:
        if before["ticket"] != ticket:
            raise Conflict(f"the key {key} was used for a photo of another ticket; make a new one for each photo")
        return Photo(**before)
    if len(photos_of(book.connection, ticket)) >= MOST_OF_ONE_TICKET:
        raise Conflict(f"{ticket} has {MOST_OF_ONE_TICKET} photos already, and takes no more")
    row = {
        "ticket": ticket,
        "sha256": picture.sha256,
        "bytes": picture.bytes,
        "width": picture.width,
        "height": picture.height,
        "author": actor.name,
        "at": book.now,
        "key": key,
    }
    id = inserted(book.connection.execute(insert(photos).values(row)))
    book.write_line(book.now, actor, Note(Happening.PHOTO, picture.sha256), ticket=ticket)
    return photo(book.connection, id)


def photo(connection: Connection, id: int) -> Photo:
    """The photo of that number; raises NotFound."""
    row = connection.execute(select(photos).where(photos.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no photo {id}")
    return Photo(**row)


def photos_of(connection: Connection, ticket: str) -> list[Photo]:
    """The photos of a ticket, oldest first."""
    query = select(photos).where(photos.c.ticket == ticket).order_by(photos.c.id)
    return [Photo(**row) for row in connection.execute(query).mappings()]


def named_photos(connection: Connection) -> set[str]:
    """The SHA-256 of every photo that is on a ticket."""
    return set(connection.execute(select(photos.c.sha256).distinct()).scalars())


def count_photos(connection: Connection, ticket: str, author: str) -> int:
    """How many photos of a ticket come from one author."""
    mine = (photos.c.ticket == ticket) & (photos.c.author == author)
    return int(connection.execute(select(func.count()).select_from(photos).where(mine)).scalar_one())
