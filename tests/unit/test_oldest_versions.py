"""Test of the constraints for the oldest supported versions."""

import re
import tomllib

from tests.root import ROOT


def test_the_oldest_environment_is_what_pyproject_allows() -> None:
    """`.ci/oldest.txt` pins each dependency to its lower bound, except tools that only check the code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {}
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        match = re.match(r"([\w.-]+)>=([\d.]+)", requirement)
        assert match is not None, requirement
        wanted[match[1].lower()] = [int(part) for part in match[2].split(".")]
    pinned = {}
    for line in (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, _, pin = line.partition("==")
            pinned[name.lower()] = [int(part) for part in pin.split(".")]
    tools = {"ruff", "mypy", "import-linter"}
    assert pinned.keys() == wanted.keys() - tools
    for name, version in pinned.items():
        assert version[: len(wanted[name])] == wanted[name], name
        assert not any(version[len(wanted[name]) :]), name
