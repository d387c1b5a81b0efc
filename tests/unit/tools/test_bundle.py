"""Tests of what the bundle is built from; building one takes minutes, see CONTRIBUTING."""

import ast
from pathlib import Path

from PIL import Image
from PySide6.QtWidgets import QApplication

from digitpad import assets
from digitpad.tools import bundle
from tests.root import ROOT


def test_icons_have_the_sizes_that_systems_ask_for(qapp: QApplication, tmp_path: Path) -> None:
    """The icons for Windows and macOS are painted from the window's icon."""
    bundle.write_icons(tmp_path)
    with Image.open(tmp_path / "digitpad.ico") as icon:
        assert {(16, 16), (32, 32), (48, 48), (256, 256)} <= icon.info["sizes"]
    with Image.open(tmp_path / "digitpad.icns") as icon:
        assert icon.format == "ICNS"
        assert icon.size[0] >= 512


def test_spec_is_python_and_names_both_programs() -> None:
    """PyInstaller's spec is valid, and builds a program for the terminal and one for the desktop."""
    text = (ROOT / ".bundle" / "digitpad.spec").read_text(encoding="utf-8")
    ast.parse(text)
    assert 'name="digitpad",' in text
    assert 'name="digitpad-window"' in text


def test_desktop_entry_and_file_type_agree() -> None:
    """The file type that the desktop entry opens is the one that is installed for .npz."""
    entry = (assets.RESOURCES / "digitpad.desktop").read_text(encoding="utf-8")
    kinds = (assets.RESOURCES / "digitpad-mime.xml").read_text(encoding="utf-8")
    assert "MimeType=application/x-npz;" in entry
    assert 'type="application/x-npz"' in kinds
    assert 'pattern="*.npz"' in kinds
