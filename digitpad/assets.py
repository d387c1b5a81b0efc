"""Folders of the shipped files: in the wheel's ``_assets``, or next to the package in a source checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_assets" if (_PACKAGE / "_assets").is_dir() else _PACKAGE.parent

MODEL = _ROOT / "model"
DATA = _ROOT / "data"
RESOURCES = _ROOT / "resources"
