import json
from pathlib import Path

import pytest

from digitpad.cli import main
from tests.datasets.idx_files import random_digits
from tests.datasets.set_files import write_images


def test_show_counts_each_class(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """As a table, or as one object with what can be known of the set; what was done to it goes to standard error."""
    write_images(tmp_path / "pets", random_digits(70), ["cat", "dog"] * 5)
    assert main(["data", "show", str(tmp_path / "pets")]) == 0
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["pets,", "image", "folders"],
        ["class", "training", "validation", "test"],
        ["cat", "25", "5", "5"],
        ["dog", "25", "5", "5"],
        ["all", "50", "10", "10"],
    ]
    assert "There is no test part" in err
    assert main(["data", "show", str(tmp_path / "pets"), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["name"], found["classes"], found["training"]) == ("pets", ["cat", "dog"], 50)
    assert found["counts"] == {"training": [25, 25], "validation": [5, 5], "test": [5, 5]}
    assert len(found["notes"]) == 1
    assert err == ""


def test_show_tells_of_the_built_in_set(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no other is named."""
    assert main(["data", "show", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["training"], found["validation"], found["test"]) == ("MNIST", 50_000, 10_000, 10_000)


def test_show_tells_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In one line."""
    assert main(["data", "show", str(tmp_path / "nowhere")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"digitpad: {tmp_path / 'nowhere'}: is not there; expected")
    assert err.count("\n") == 1
