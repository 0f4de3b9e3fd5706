"""Bilderatlas: search and study art-historical image collections by sight.

>>> import bilderatlas as ba                                   # doctest: +SKIP
>>> hits = ba.open("my-library")["paintings"].search(like=["SK-C-5"])   # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "create", "index", "open"]

if TYPE_CHECKING:
    from bilderatlas.api.index import index
    from bilderatlas.api.library import create, open


def __getattr__(name: str) -> Any:
    """Load the verbs on first use, so that `import bilderatlas` stays light."""
    if name in {"open", "create", "index"}:
        from bilderatlas import api

        return getattr(api, name)
    raise AttributeError(f"module 'bilderatlas' has no attribute {name!r}")
