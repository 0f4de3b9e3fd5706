"""What runs a network: ONNX Runtime everywhere, torch in the laboratory; and their weights."""

from bilderatlas.extractors.runtimes.base import Runtime, RuntimeOptions

__all__ = ["Runtime", "RuntimeOptions"]
