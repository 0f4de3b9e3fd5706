"""The verbs, once: what the command line, the web pages and Python users call."""

from bilderatlas.api.collection import Collection, SpaceInfo
from bilderatlas.api.index import index
from bilderatlas.api.library import Library, create, open, restore
from bilderatlas.api.uploads import Upload

__all__ = ["Collection", "Library", "SpaceInfo", "Upload", "create", "index", "open", "restore"]
