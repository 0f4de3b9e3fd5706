"""Import a feature package of our own format."""

from __future__ import annotations
