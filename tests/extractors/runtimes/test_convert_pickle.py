"""The child that converts pickles takes modules from nowhere else and cannot outgrow its file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.runtimes.convert_pickle import convert
from bilderatlas.images.process import lean_environment

torch = pytest.importorskip("torch")

MODULE = "bilderatlas.extractors.runtimes.convert_pickle"
LENT = ("numpy", "torch", "json", "safetensors", "subprocess", "sitecustomize", "bilderatlas")


def hostile_folder(folder: Path) -> Path:
    """Make a folder with modules that leave a sign when they are run; return the sign."""
    folder.mkdir()
    sign = folder / "it-ran"
    for name in LENT:
        (folder / f"{name}.py").write_text(f"open({str(sign)!r}, 'w')\n")
    return sign


def test_a_folder_with_hostile_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = hostile_folder(tmp_path / "download")
    torch.save({"a": torch.arange(6.0)}, sign.parent / "w.pth")
    monkeypatch.chdir(sign.parent)
    assert convert(Path("w.pth"), Path("w.safetensors")) == 1
    assert (sign.parent / "w.safetensors").stat().st_size > 24
    assert not sign.exists()


def test_the_environment_lends_no_modules_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = hostile_folder(tmp_path / "download")
    torch.save({"a": torch.arange(6.0)}, tmp_path / "w.pth")
    monkeypatch.setenv("PYTHONPATH", str(sign.parent))
    monkeypatch.setenv("PYTHONSTARTUP", str(sign.parent / "numpy.py"))
    assert convert(tmp_path / "w.pth", tmp_path / "w.safetensors") == 1
    assert not sign.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps this limit")
def test_a_file_that_unfolds_is_refused(tmp_path: Path) -> None:
    """A tensor of 80 GB that is one number, repeated: 1 kB as a file."""
    torch.save({"a": torch.zeros(1).expand(20_000_000_000)}, tmp_path / "bomb.pth")
    assert (tmp_path / "bomb.pth").stat().st_size < 10_000
    command = [sys.executable, "-P", "-m", MODULE, "bomb.pth", "bomb.safetensors"]
    child = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=lean_environment(), check=False
    )
    assert "memory" in json.loads(child.stdout.splitlines()[-1])["error"]
    with pytest.raises(WeightsError, match="Cannot convert"):
        convert(tmp_path / "bomb.pth", tmp_path / "bomb.safetensors")
    assert not (tmp_path / "bomb.safetensors").exists()
