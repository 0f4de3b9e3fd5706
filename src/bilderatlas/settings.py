"""Settings of one run, and where the library lies.

Each setting comes from the first of: the command line, the environment (`BILDERATLAS_…`), the
default. Settings that belong to a library stand in its `library.toml`.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bilderatlas.errors import UsageError

LIBRARY_FILE = "library.toml"
DEFAULT_PORT = 8765


class Settings(BaseSettings):
    """What the environment may say.

    Attributes:
        library: Folder of the library.
        workers: Processes that decode pictures, and threads that extract; 0: one a processor.
        max_file_bytes: Larger picture files are refused.
        max_pixels: Pictures with more pixels are refused.
        models: Folder that weights are kept in; else a folder in the user's cache.
        hub: Address of the model hub that weights come from.
    """

    model_config = SettingsConfigDict(env_prefix="BILDERATLAS_", extra="ignore")

    library: Path | None = None
    workers: int = Field(default=0, ge=0, le=256)
    max_file_bytes: int = Field(default=100_000_000, gt=0)
    max_pixels: int = Field(default=200_000_000, gt=0)
    models: Path | None = None
    hub: str = Field(default="https://huggingface.co", pattern=r"^https?://[^\s?#]+$")


def read_settings() -> Settings:
    """Return what the environment says.

    Raises:
        UsageError: naming the variable whose value cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        variable = f"BILDERATLAS_{str(wrong['loc'][0]).upper()}"
        raise UsageError(
            f"Cannot use {variable}={wrong['input']!r}: {wrong['msg'].lower()}. "
            "Correct it or unset it."
        ) from error


def find_library(explicit: Path | str | None = None) -> Path:
    """Return the folder of the library: named, from the environment, upward, or the user's own.

    The nearest `library.toml` from the current folder upward wins over the user's data folder.
    """
    if explicit is not None:
        return Path(explicit).expanduser().absolute()
    named = read_settings().library
    if named is not None:
        return named.expanduser().absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / LIBRARY_FILE).is_file():
            return folder
    return Path(platformdirs.user_data_path("bilderatlas", appauthor=False)) / "library"


def for_anybody(text: str, library: Path | None = None) -> str:
    """Return a sentence with words for the folders of this machine, as strangers may read it.

    >>> for_anybody("Cannot read '/srv/atlas/library.toml'.", Path("/srv/atlas"))
    "Cannot read 'the library/library.toml'."
    """
    folders = [(models_folder(), "the folder of models")]
    folders += [(library, "the library")] if library is not None else []
    named = [(str(path), words) for folder, words in folders for path in (folder, folder.resolve())]
    for path, words in sorted(named, key=lambda one: len(one[0]), reverse=True):
        if len(path) > 1:
            text = text.replace(path, words)
    return text


def models_folder() -> Path:
    """Return the folder that weights are kept in; it may not exist yet."""
    named = read_settings().models
    if named is not None:
        return named.expanduser().absolute()
    return Path(platformdirs.user_cache_path("bilderatlas", appauthor=False)) / "models"
