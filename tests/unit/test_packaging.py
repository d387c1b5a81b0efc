"""Tests of the package's metadata."""

import re
import tomllib

from tests.root import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_license_names_code_and_data() -> None:
    """The wheel has the licence texts of the code and of MNIST, which differ."""
    assert PROJECT["project"]["license"] == "MIT AND CC-BY-SA-3.0"
    for name in PROJECT["project"]["license-files"]:
        assert (ROOT / name).is_file()
    assert "licenses/by-sa/3.0" in (ROOT / "data" / "README.md").read_text("utf-8")


def test_classifiers_name_every_system() -> None:
    """Linux, Windows and macOS are listed, each with its graphical environment."""
    classifiers = "\n".join(PROJECT["project"]["classifiers"])
    for text in ("MacOS X", "Win32", "X11", "POSIX :: Linux", "Microsoft :: Windows"):
        assert text in classifiers


def test_links_of_the_readme_work_in_the_sdist() -> None:
    """Every file that the README links to exists and is part of the source distribution."""
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))
    assert ".github/CONTRIBUTING.md" in links
    for link in links:
        assert (ROOT / link).exists(), link
        assert any(f"/{link}".startswith(path) for path in included), link
