"""The published JSON Schema of `features.json`, made from the models that read it."""

from __future__ import annotations

import json
from typing import Any

from bilderatlas.exchange.format import Manifest

TITLE = "Feature package, version 1: features.json"


def manifest_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a manifest."""
    schema = Manifest.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": TITLE,
    }


def schema_text() -> str:
    """Return the file `docs/reference/features.schema.json`."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
