"""Build the front end into the wheel (see frontend/README.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendBuildHook(BuildHookInterface):
    """Runs `frontend/build.py`, which does nothing when its stamp matches the sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build `src/bilderatlas/web/static` before the files of the wheel are collected."""
        frontend = Path(self.root) / "frontend"
        if not (frontend / "build.py").exists():
            return
        sys.path.insert(0, str(frontend))
        try:
            from build import build_frontend
        finally:
            sys.path.pop(0)
        build_frontend(Path(self.root))
