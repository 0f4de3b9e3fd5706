"""Import a feature package of our own format: a folder with `features.json` and its parts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from bilderatlas.exchange.base import IMPORTERS, Features, Importer, ImportOptions
from bilderatlas.exchange.format import MANIFEST_NAME


class PackageImporter(Importer):
    """Recognises a folder with `features.json`, or that file itself."""

    name: ClassVar[str] = "feature package"
    example: ClassVar[str] = "./rijks-clip/"

    def recognises(self, address: str) -> bool:
        """Tell whether there is a manifest."""
        try:
            return (_folder_of(address) / MANIFEST_NAME).is_file()
        except (OSError, ValueError):
            return False

    def open(self, address: str, options: ImportOptions) -> Features:
        """Open the package; it says everything itself, the options are not needed.

        Raises:
            PackageError: when it is of another format, a newer version, or changed.
        """
        from bilderatlas.exchange.read import PackageFeatures

        return PackageFeatures(_folder_of(address))


def _folder_of(address: str) -> Path:
    path = Path(address).expanduser()
    return path.parent if path.name == MANIFEST_NAME else path


IMPORTERS.register(PackageImporter.name, PackageImporter())
