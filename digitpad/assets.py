"""The one place that knows where the shipped files lie: in the wheel's ``_assets``, else beside the package."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_assets" if (_PACKAGE / "_assets").is_dir() else _PACKAGE.parent

MODEL = _ROOT / "model"
DATA = _ROOT / "data"
RESOURCES = _ROOT / "resources"
