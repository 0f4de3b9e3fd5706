"""Who asks: a browser sees the pictures that it brought along itself, and nobody else's.

The hash of an upload stands in addresses, which are copied and sent; it is a name and no key. A
server says for each request whose it is (`asking`); then uploads of others are as if they were not
there. Outside a server, on the command line and in Python, the library's owner asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bilderatlas.errors import NotFoundError
from bilderatlas.store.library import LibraryStore

EXPIRY_S = 7 * 24 * 3600

_visitor: ContextVar[str | None] = ContextVar("visitor", default=None)


@contextmanager
def asking(owner: str) -> Iterator[None]:
    """Answer what is asked inside for one browser.

    Args:
        owner: The sha256 of its secret.
    """
    token = _visitor.set(owner)
    try:
        yield
    finally:
        _visitor.reset(token)


def current_visitor() -> str | None:
    """Return who asks; None outside a server."""
    return _visitor.get()


def check_upload(store: LibraryStore, sha256: str) -> None:
    """Make sure that whoever asks brought this picture, not too long ago.

    Raises:
        NotFoundError: otherwise; it does not tell whether somebody else has it.
        UsageError: when `sha256` is not the hash that it should be.
    """
    owner = _visitor.get()
    if owner is None:
        return
    if not store.uploads.is_claimed(owner, sha256, younger_than_s=EXPIRY_S):
        raise NotFoundError(
            "This picture is not here for this browser: a picture that is brought along is kept "
            "for seven days, and for the browser that brought it only. Bring it again."
        )
