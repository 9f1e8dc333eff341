"""How a batch of journal entries becomes bytes and back: msgpack tuples by kind, compressed with zstd level 1."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Sequence

import msgspec
import zstandard

from history.entries import ClockEpoch, Command, Config, Entry, Message, Tick
from plant.errors import Corrupt
from plant.instants import NEVER

_MESSAGE, _TICK, _COMMAND, _CONFIG, _EPOCH = range(5)

_TickRow = tuple[int, bool]
_CommandRow = tuple[int, str, str, str, str, dict[str, str]]
_ConfigRow = tuple[int, str, bytes]
_EpochRow = tuple[int, int]


class _Body(msgspec.Struct, array_like=True):
    """One batch: the kind of each entry in order (empty where all are messages), and the entries of each kind."""

    kinds: bytes
    messages: list[Message]
    ticks: list[_TickRow]
    commands: list[_CommandRow]
    configs: list[_ConfigRow]
    epochs: list[_EpochRow]


_encoder = msgspec.msgpack.Encoder()
_body_decoder = msgspec.msgpack.Decoder(_Body)
_config_decoder = msgspec.msgpack.Decoder(_ConfigRow)


class _Zstd(threading.local):
    """A compressor and a decompressor for each thread: neither may be used by two at once."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=1)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def pack(entries: Sequence[Entry]) -> bytes:
    """Entries to msgpack, uncompressed."""
    messages = [entry for entry in entries if isinstance(entry, Message)]
    body = _Body(b"", messages, [], [], [], [])
    if len(messages) < len(entries):
        body.kinds = bytes([_MESSAGE if isinstance(entry, Message) else _add_other(body, entry) for entry in entries])
    return _encoder.encode(body)


def unpack(packed: bytes) -> tuple[Entry, ...]:
    """The inverse of `pack`; raises Corrupt when the bytes are no batch."""
    try:
        body = _body_decoder.decode(packed)
        if not body.kinds:
            return tuple(body.messages)
        of_kind: tuple[Iterator[Entry], ...] = (
            iter(body.messages),
            iter([Tick(*row) for row in body.ticks]),
            iter([Command(*row) for row in body.commands]),
            iter([Config(*row) for row in body.configs]),
            iter([ClockEpoch(*row) for row in body.epochs]),
        )
        return tuple([next(of_kind[kind]) for kind in body.kinds])
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError, StopIteration) as error:
        raise Corrupt(
            f"a journal batch is no msgpack of entries ({error}); restore the journal from a backup"
        ) from error


def pack_config(config: Config) -> bytes:
    """One configuration revision to msgpack, uncompressed."""
    return _encoder.encode((config.revision, config.sha256, config.content))


def unpack_config(packed: bytes) -> Config:
    """The inverse of `pack_config`; raises Corrupt when the bytes are no configuration."""
    try:
        return Config(*_config_decoder.decode(packed))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Corrupt(f"a stored configuration is unreadable ({error}); restore the journal from a backup") from error


def compress(packed: bytes) -> bytes:
    """zstd level 1; the frame names the size of its content."""
    return _zstd.compressor.compress(packed)


def decompress(body: bytes) -> bytes:
    """The inverse of `compress`; raises Corrupt when the bytes are no zstd frame."""
    try:
        return _zstd.decompressor.decompress(body)
    except zstandard.ZstdError as error:
        raise Corrupt(f"a journal batch does not decompress ({error}); restore the journal from a backup") from error


def checksum(first: int, body: bytes) -> int:
    """CRC-32 over the offset and the stored bytes, so that a batch in the wrong place is found too."""
    return zlib.crc32(body, zlib.crc32(first.to_bytes(8, "big")))


def newest_time(entries: Sequence[Entry]) -> int:
    """The latest plant time that the entries speak of, ms UTC; NEVER where none does."""
    received = max([entry.received_at for entry in entries if isinstance(entry, Message)], default=NEVER)
    told = max([entry.plant_time for entry in entries if isinstance(entry, Tick | ClockEpoch)], default=NEVER)
    return max(received, told)


def _add_other(body: _Body, entry: Tick | Command | Config | ClockEpoch) -> int:
    match entry:
        case Tick():
            body.ticks.append((entry.plant_time, entry.listening))
            return _TICK
        case Command():
            row = (entry.id, entry.author, entry.action, entry.equipment, entry.rule, dict(entry.args))
            body.commands.append(row)
            return _COMMAND
        case Config():
            body.configs.append((entry.revision, entry.sha256, entry.content))
            return _CONFIG
        case ClockEpoch():
            body.epochs.append((entry.plant_time, entry.previous))
            return _EPOCH
