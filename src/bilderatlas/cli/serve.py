"""`bilderatlas serve`: the web application."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.api import create
from bilderatlas.api import open as open_library
from bilderatlas.api.worker import start_worker
from bilderatlas.cli.options import LibraryOption
from bilderatlas.cli.output import ended_by_ctrl_c, say
from bilderatlas.settings import DEFAULT_PORT


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = DEFAULT_PORT,
    mode: Annotated[
        str, typer.Option(help="local: yours alone, by a token; public: read-only for everybody.")
    ] = "local",
    host_name: Annotated[
        list[str] | None,
        typer.Option("--host-name", metavar="NAME", help="Answer only to these names (public)."),
    ] = None,
    show_token: Annotated[
        bool, typer.Option("--show-token", help="Print the token that programs may use.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the browser.")
    ] = True,
    library: LibraryOption = None,
) -> None:
    """Serve the library to your browser."""
    from bilderatlas.web.server import serve as run_server

    # A library that was named must be there; your own is made at the first visit.
    with open_library(library) if library is not None else create() as opened:
        say(f"Library: {opened.root}")
        with ended_by_ctrl_c("Stopped."):
            run_server(
                opened,
                host=host,
                port=port,
                mode=mode,
                open_browser=browser,
                start_worker=start_worker,
                announce=say,
                hosts=host_name or (),
                show_token=show_token,
            )
