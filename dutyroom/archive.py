"""A backup as one file: a zstd-compressed tar; its first member, `manifest.json`, names every other and its SHA-256."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Literal

import msgspec
import zstandard

from plant.errors import BadInput, Corrupt

FORMAT = 1
MANIFEST = "manifest.json"
_LONGEST_MANIFEST = 64 << 20
_CHUNK = 1 << 20


class Part(msgspec.Struct, frozen=True):
    """One file of a data folder: its path in it, bytes and SHA-256 in hex."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds.

    `made_at` is ISO-8601 UTC. `journal_first` and `journal_last` are offsets, `rules_offset` how far the rules had
    committed. `hot` says what became of the two days that no Parquet file holds yet: `copied` (the service stood
    still), `rebuilt` (from the journal, by the service that starts on it) or `none` (no embedded store).
    """

    format: int
    version: str
    made_at: str
    site: str
    journal_first: int
    journal_last: int
    rules_offset: int
    hot: Literal["copied", "rebuilt", "none"]
    files: tuple[Part, ...]


def part_of(path: Path, folder: Path) -> Part:
    """Read a file and say what it is."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return Part(path.relative_to(folder).as_posix(), path.stat().st_size, digest.hexdigest())


def write_archive(target: Path, manifest: Manifest, folder: Path, now: int) -> None:
    """Write the manifest and its files, found under `folder`; `target` appears complete or not at all.

    Only its owner may read it: it holds names, photos and hashes of passwords.
    """
    beside = target.with_name(target.name + ".part")
    try:
        with _created(beside) as file:
            compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
            with (
                compressor.stream_writer(file, closefd=False) as out,
                tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                body = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
                _add(tar, MANIFEST, len(body), io.BytesIO(body), now)
                for part in manifest.files:
                    with (folder / part.path).open("rb") as content:
                        _add(tar, part.path, part.size, content, now)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def read_manifest(source: Path) -> Manifest:
    """What a backup says it holds. Raises BadInput when it is no backup, Corrupt when it is damaged."""
    with _opened(source) as tar:
        return _manifest(tar, source)


def unpack(source: Path, folder: Path) -> Manifest:
    """Write every file of the backup into `folder` and check it against the manifest.

    Raises BadInput when `source` is no backup of a format this version reads, Corrupt when anything in it is missing,
    damaged or not named by the manifest.
    """
    with _opened(source) as tar:
        manifest = _manifest(tar, source)
        missing = {part.path: part for part in manifest.files}
        while (member := tar.next()) is not None:
            part = missing.pop(member.name, None)
            if part is None or not member.isreg() or member.size != part.size:
                raise Corrupt(f"{source}: {member.name} is not as the manifest says; take another backup")
            content = tar.extractfile(member)
            if content is None or _written(content, folder / part.path) != part.sha256:
                raise Corrupt(f"{source}: {part.path} fails its SHA-256; take another backup")
    if missing:
        raise Corrupt(f"{source} is cut short: {len(missing)} files are missing, such as {min(missing)}")
    return manifest


def _add(tar: tarfile.TarFile, name: str, size: int, content: IO[bytes], now: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, now // 1_000
    tar.addfile(entry, content)


@contextmanager
def _created(path: Path) -> Iterator[IO[bytes]]:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    """The tar inside; what its libraries say of damage becomes ours."""
    with source.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file, closefd=False) as stream:
        try:
            tar = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115  # closed below; what opening says is BadInput
        except (tarfile.TarError, zstandard.ZstdError, EOFError):
            raise BadInput(f"{source} is no backup; make one with `dutyroom backup FILE`") from None
        try:
            yield tar
        except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
            raise Corrupt(f"{source} is damaged or cut short ({error}); take another backup") from error
        finally:
            tar.close()


def _manifest(tar: tarfile.TarFile, source: Path) -> Manifest:
    member = tar.next()
    content = tar.extractfile(member) if member is not None and member.name == MANIFEST else None
    if content is None:
        raise BadInput(
            f"{source} is no backup: it does not begin with {MANIFEST}; make one with `dutyroom backup FILE`"
        )
    try:
        manifest = msgspec.json.decode(content.read(_LONGEST_MANIFEST), type=Manifest)
    except msgspec.DecodeError as error:
        raise BadInput(f"{source}: its manifest is not understood ({error}); use the version that wrote it") from None
    if manifest.format != FORMAT:
        raise BadInput(f"{source} has backup format {manifest.format}, this version reads {FORMAT}")
    for part in manifest.files:
        _check_inside(part.path, source)
    return manifest


def _check_inside(path: str, source: Path) -> None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise Corrupt(f"{source} names {path!r}, which leads out of the data folder; do not trust this file")


def _written(content: IO[bytes], path: Path) -> str:
    """Copy to `path`, made durable; gives the SHA-256 of what went through."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with _created(path) as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
