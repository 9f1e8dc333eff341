"""`dutyroom influx`: an InfluxDB 2 made ready for the service."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import stamina
import typer
from stamina.instrumentation import RetryDetails

from dutyroom.cli.options import ConfigFile
from dutyroom.credentials import read_secret, write_secret
from dutyroom.settings import load_settings
from history.influxql import InfluxAddress
from history.influxsetup import first_setup, is_new, new_token, prepare, wait_ready, works

_DAY_MS = 86_400_000
_PATIENCE_S = 60.0

app = typer.Typer(no_args_is_help=True, help="InfluxDB 2: make it ready.")


@app.callback()
def group() -> None:
    """InfluxDB 2: make it ready."""


@app.command()
def setup(
    admin_token_file: Annotated[
        Path, typer.Option(help="File with InfluxDB's operator token; for a new InfluxDB it is made, mode 0600.")
    ],
    token_file: Annotated[Path, typer.Option(help="Where the service's own token is kept, mode 0600.")],
    config: ConfigFile = None,
) -> None:
    """Make organisation, buckets, buckets of rollups and a token for the service; what is there already stays as it is.

    Example: dutyroom influx setup --admin-token-file influx-admin --token-file secrets/store__token
    """
    settings = load_settings(config)
    store = settings.store
    address = InfluxAddress(store.url, "", store.org, store.bucket)
    stamina.instrumentation.set_on_retry_hooks([_waiting])
    wait_ready(address, _PATIENCE_S)
    keep_ms = round(settings.retention.raw_days * _DAY_MS)
    admin = _as_admin(address, admin_token_file, keep_ms)
    for change in prepare(admin, keep_ms=keep_ms):
        typer.echo(f"made: {change}", err=True)
    if token_file.exists() and works(address, read_secret(token_file)):
        typer.echo(f"{token_file}: the token in it works and stays", err=True)
        return
    write_secret(token_file, new_token(admin))
    typer.echo(f"{token_file}: a new token, which may write and read {store.bucket} and its rollups", err=True)


def _waiting(details: RetryDetails) -> None:
    """Say once that we wait, and for what."""
    if details.retry_num == 1:
        typer.echo(f"waiting up to {_PATIENCE_S:.0f} s: {details.caused_by}", err=True)


def _as_admin(address: InfluxAddress, file: Path, keep_ms: int) -> InfluxAddress:
    """The address with an operator token; a server that was never set up gets one that is made and kept first."""
    if not is_new(address):
        return replace(address, token=read_secret(file))
    if not file.exists():
        write_secret(file, secrets.token_urlsafe(48))
    admin = replace(address, token=read_secret(file))
    first_setup(admin, keep_ms=keep_ms)
    typer.echo(f"set up a new InfluxDB; its operator token is in {file}: keep it apart from the service", err=True)
    return admin
