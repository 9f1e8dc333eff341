"""Everything a running service can be told: dutyroom.toml, over it files of secrets, over them DUTYROOM_*.

DUTYROOM_SECRETS names folders (separated as in PATH) that hold one secret a file: `store__token` is store.token.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from plant.errors import ConfigError, Problem

_DAY_MS = 86_400_000
_SECRETS = "DUTYROOM_SECRETS"
_PLACE = re.compile(r"line (\d+), column (\d+)")
_TABLE = re.compile(r"\s*\[([\w.\s-]+)\]")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerSettings(_Part):
    """How an MQTT broker is reached. Files of keys matter for mqtts:// only; no `ca_file`: the system's authorities.

    The password is in the address, or in `password_file` (its first line), for the user of `username` or the address.
    `session_days` counts for MQTT 5: so long the broker keeps what comes while we are away; None: for ever.
    """

    name: str = Field("", max_length=40)
    url: SecretStr = SecretStr("mqtt://127.0.0.1:1883")
    client_id: str = Field("dutyroom", min_length=1)
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    username: str | None = None
    password_file: Path | None = None
    keepalive_s: int = Field(20, ge=5, le=3600)
    session_days: float | None = Field(None, gt=0, le=10_000)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


class StoreSettings(_Part):
    """Where readings are kept: `duckdb` in the data folder, or `influx`."""

    kind: Literal["duckdb", "influx"] = "duckdb"
    url: str = "http://127.0.0.1:8086"
    org: str = "dutyroom"
    bucket: str = "dutyroom"
    token: SecretStr = SecretStr("")


class HttpSettings(_Part):
    """Where the API listens; port 0 takes any free one.

    Only `trusted_proxies` (addresses or networks) are believed what they say of whom they pass on, and whether that
    came over https. `secure_cookies` marks cookies Secure also where no proxy says so.
    """

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65_535)
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    secure_cookies: bool = False


class WebhookSettings(_Part):
    """A signed webhook for notices; only hosts of `allow` are called."""

    url: SecretStr
    secret: SecretStr
    allow: tuple[str, ...]


class RetentionSettings(_Part):
    """How long the journal and raw history stay."""

    journal_days: float = Field(14, gt=0)
    journal_gb: float = Field(20, gt=0)
    raw_days: float = Field(400, gt=0)

    @property
    def journal_ms(self) -> int:
        """Age of the journal, ms."""
        return round(self.journal_days * _DAY_MS)


class Settings(BaseSettings):
    """All settings of one site's service."""

    model_config = SettingsConfigDict(
        env_prefix="DUTYROOM_", env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    data: Path = Path("data")
    broker: BrokerSettings = BrokerSettings()
    brokers: tuple[BrokerSettings, ...] = ()
    store: StoreSettings = StoreSettings()
    http: HttpSettings = HttpSettings()
    webhook: WebhookSettings | None = None
    retention: RetentionSettings = RetentionSettings()

    @property
    def all_brokers(self) -> tuple[BrokerSettings, ...]:
        """The brokers to listen to: those of the list, or the only one."""
        return self.brokers or (self.broker,)

    @model_validator(mode="after")
    def _one_way_to_name_brokers(self) -> Self:
        if self.brokers and "broker" in self.model_fields_set:
            raise ValueError("there is a [broker] and a list of [[brokers]]; put the first one into the list too")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over secrets, and these over the file, which arrives as arguments."""
        folders = [folder for folder in os.environ.get(_SECRETS, "").split(os.pathsep) if folder]
        kept = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=folders,
            secrets_dir_missing="error",
            secrets_prefix="",
            secrets_nested_delimiter="__",
        )
        return env_settings, kept, init_settings


def load_settings(file: Path | None, data: Path | None = None) -> Settings:
    """Settings from a file (None: `dutyroom.toml` where there is one), the environment over it.

    Raises ConfigError naming the file and key.
    """
    chosen = file or (Path("dutyroom.toml") if Path("dutyroom.toml").exists() else None)
    content: dict[str, object] = {}
    text = ""
    if chosen is not None:
        try:
            text = chosen.read_text(encoding="utf-8")
            content = tomllib.loads(text)
        except FileNotFoundError:
            raise ConfigError(Problem(str(chosen), 1, 1, "there is no such file", hint="name it by --config")) from None
        except tomllib.TOMLDecodeError as error:
            place = _PLACE.search(str(error))
            line, column = (int(place[1]), int(place[2])) if place else (1, 1)
            raise ConfigError(Problem(str(chosen), line, column, f"not TOML: {error}")) from None
    if data is not None:
        content["data"] = data
    try:
        return Settings(**content)  # type: ignore[arg-type]  # the model checks what the file holds
    except SettingsError as error:
        raise ConfigError(Problem(_SECRETS, 1, 1, str(error), expected="folders with one secret a file")) from None
    except ValidationError as error:
        problems = [_problem(chosen, text, tuple(map(str, one["loc"])), one["msg"]) for one in error.errors()]
        raise ConfigError(*problems) from None


def _problem(file: Path | None, text: str, keys: tuple[str, ...], said: str) -> Problem:
    """A mistake at its key in the file; what the file does not say came from the environment or from secrets."""
    found = _spot(text, keys)
    name = str(file) if found and file else "secrets or environment (DUTYROOM_*)"
    line, column = found or (1, 1)
    message = "no such setting" if said.startswith("Extra inputs") else said
    return Problem(name, line, column, f"{'.'.join(keys)}: {message}", hint="dutyroom.example.toml has every key")


def _spot(text: str, keys: tuple[str, ...]) -> tuple[int, int] | None:
    """Line and column of a key in TOML of tables and plain keys; of its table when the key is missing there."""
    table: tuple[str, ...] = ()
    of_table = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = tuple(part.strip() for part in header[1].split("."))
            if table == keys[: len(table)]:
                of_table = (number, header.start(1) + 1)
        elif (key := _KEY.match(line)) and (*table, key[1]) == keys[: len(table) + 1]:
            return number, key.start(1) + 1
    return of_table
