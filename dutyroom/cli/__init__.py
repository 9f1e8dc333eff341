"""The command line: one file a group, exit 0 done, 1 the answer is no, 2 bad input; stdout is data, stderr is talk."""

from __future__ import annotations

import sys

import typer

from dutyroom.cli import (
    backup,
    commission,
    decode,
    demo,
    discovered,
    doctor,
    influx,
    journal,
    plant,
    plant_ledger,
    repairs,
    replay,
    rules_check,
    rules_past,
    run,
    simulate,
    tickets,
    user,
)
from plant.errors import BadInput, ConfigError, DutyroomError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("run")(run.run_command)
app.command("demo")(demo.demo_command)
app.command("replay")(replay.replay_command)
app.command("repairs")(repairs.repairs_command)
app.command("decode")(decode.decode)
app.command("doctor")(doctor.doctor_command)
app.command("backup")(backup.backup_command)
app.command("restore")(backup.restore_command)
rules_check.app.command("backtest")(rules_past.backtest_command)
rules_check.app.command("explain")(rules_past.explain_command)
plant.app.command("import")(plant_ledger.import_command)
plant.app.command("export")(plant_ledger.export_command)
app.add_typer(plant.app, name="plant")
app.add_typer(rules_check.app, name="rules")
app.add_typer(tickets.app, name="tickets")
app.add_typer(discovered.app, name="discovered")
app.add_typer(commission.app, name="commission")
app.add_typer(user.app, name="user")
app.add_typer(journal.app, name="journal")
app.add_typer(influx.app, name="influx")
app.add_typer(simulate.app, name="simulate")


def main() -> None:
    """Run the command line; our own errors, and files that cannot be used, become one clear message."""
    try:
        app()
    except (ConfigError, BadInput) as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
    except DutyroomError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"cannot use {error.filename}: {error.strerror}; check the path, its owner and mode", err=True)
        sys.exit(2)
