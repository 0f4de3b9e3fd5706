"""The command line as a whole: the commands, and how failures are told."""

from __future__ import annotations

import json
import sys

import typer

from bilderatlas import __version__
from bilderatlas.cli import (
    collections,
    demo,
    doctor,
    extractors,
    extractors_test,
    features,
    features_reduce,
    index,
    jobs,
    library,
    museum,
    panels,
    search,
    serve,
    sources,
    train,
)
from bilderatlas.errors import BilderatlasError

INTERRUPTED = 130

app = typer.Typer(
    name="bilderatlas",
    help="Search art-historical image collections by sight: index, search, look, understand.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("index")(index.index)
app.command("search")(search.search)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.add_typer(collections.app, name="collections")
extractors.app.command("test")(extractors_test.test_extractor)
app.add_typer(extractors.app, name="extractors")
features.app.command("reduce")(features_reduce.reduce)
app.add_typer(features.app, name="features")
app.add_typer(sources.app, name="sources")
app.add_typer(jobs.app, name="jobs")
app.add_typer(library.app, name="library")
app.add_typer(panels.app, name="panels")
app.add_typer(museum.app, name="museum")
app.add_typer(train.app, name="train")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bilderatlas {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Search art-historical image collections by sight: index, search, look, understand."""


def main() -> None:
    """Run the command line; every failure that has a name ends in a sentence and a status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status: 0, 1 failed, 2 usage, 130 interrupted."""
    try:
        status = app(arguments, standalone_mode=False)
    except BilderatlasError as error:
        _tell(error.code, str(error), as_json="--json" in arguments)
        return error.exit_status
    except typer.TyperException as error:
        _tell_usage(error.format_message(), arguments)
        return error.exit_code
    except typer.Abort:
        status = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left early, as `head` does
        return 0
    except OSError as error:
        where = f" '{error.filename}'" if error.filename else ""
        reason = (error.strerror or str(error)).lower()
        message = f"Cannot read or write{where}: {reason}. Check the path and its permissions."
        _tell("io", message, as_json="--json" in arguments)
        return 1
    if status == INTERRUPTED:
        typer.echo("Interrupted. What was done stands; run the same command to go on.", err=True)
    return status if isinstance(status, int) else 0


def _tell_usage(message: str, arguments: list[str]) -> None:
    """Tell a wrong call: the help of a group that was given nothing to do, or a sentence."""
    if message.startswith("Usage:"):
        typer.echo(message, err=True)
        return
    known = {command.name for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    words = [word for word in arguments[:1] if word in known]
    typer.echo(f"bilderatlas: {message}", err=True)
    typer.echo(f"Try: {' '.join(['bilderatlas', *words, '--help'])}", err=True)


def _tell(code: str, message: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    typer.echo(f"bilderatlas: {message}", err=True)


if __name__ == "__main__":
    main()
