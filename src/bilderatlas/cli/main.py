"""The command line as a whole: the commands, and how failures are told."""

from __future__ import annotations

import itertools
import json
import sys

import typer

from bilderatlas import __version__
from bilderatlas.cli import (
    collections,
    demo,
    doctor,
    extractors,
    index,
    jobs,
    library,
    museum,
    search,
    serve,
    sources,
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
app.add_typer(extractors.app, name="extractors")
app.add_typer(sources.app, name="sources")
app.add_typer(jobs.app, name="jobs")
app.add_typer(library.app, name="library")
app.add_typer(museum.app, name="museum")


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
        typer.echo(f"bilderatlas: {error.format_message()}", err=True)
        typer.echo(f"Try: bilderatlas {_command_words(arguments)}--help", err=True)
        return error.exit_code
    except typer.Abort:
        status = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left early, as `head` does
        return 0
    if status == INTERRUPTED:
        typer.echo("Interrupted. What was done stands; run the same command to go on.", err=True)
    return status if isinstance(status, int) else 0


def _command_words(arguments: list[str]) -> str:
    words = list(itertools.takewhile(lambda word: not word.startswith("-"), arguments))
    return "".join(f"{word} " for word in words[:2] if word.isalpha())


def _tell(code: str, message: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    typer.echo(f"bilderatlas: {message}", err=True)


if __name__ == "__main__":
    main()
