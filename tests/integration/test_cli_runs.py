"""Tests of ``digitpad runs``: list, compare, export and rename."""

import csv
import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from digitpad.cli import main
from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_log import RunLog
from tests.integration.test_cli import one_error
from tests.unit.training.made_runs import made_run


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the number of BLAS threads, which commands set in the environment."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))


def the_object(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def rows(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert err == ""
    return [" ".join(line.split()) for line in out.splitlines()]


def test_runs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Runs are listed newest first, in aligned columns, with names, recipes, progress and results."""
    first = made_run("one")
    second = made_run("two", RunStatus.CUT_OFF, n_epochs=1)
    second.rename("a longer name")
    assert main(["runs"]) == 0
    assert rows(capsys) == [
        "id name recipe status epochs validation test time started",
        f"{second.id[-6:]} a longer name two interrupted 1 / 3 50.00% – 0:01 {second.started:%Y-%m-%d %H:%M}",
        f"{first.id[-6:]} one one finished 3 / 3 87.50% 86.50% 0:03 {first.started:%Y-%m-%d %H:%M}",
    ]


def test_runs_are_listed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON object has full ids and unrounded figures."""
    run = made_run()
    assert main(["runs", "--json"]) == 0
    values = the_object(capsys)
    assert values["folder"] == str(run.folder.parent)
    (listed,) = values["runs"]
    assert listed == {
        "id": run.id, "name": "small", "recipe": "small", "status": "finished", "epoch": 3, "epochs": 3, "step": 12,
        "steps": 12, "validation_accuracy": 0.875, "test_accuracy": 0.865, "seconds": 3.2, "problem": "",
        "begun": run.started.isoformat(), "folder": str(run.folder),
    }  # fmt: skip


def test_empty_list_of_runs_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Without runs, a message says how to start one, and JSON has an empty list."""
    assert main(["runs"]) == 0
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "digitpad train" in err
    assert main(["runs", "--json"]) == 0
    assert the_object(capsys)["runs"] == []


def test_control_characters_in_names_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in names are escaped."""
    made_run().rename("a\x1b[31mb")
    main(["runs"])
    out, _ = capsys.readouterr()
    assert "\x1b" not in out
    assert r"a\x1b[31mb" in out


def test_comparison_shows_differences(capsys: pytest.CaptureFixture[str]) -> None:
    """The comparison has one column per run, with its progress and only the settings that differ."""
    one, other = made_run("one"), made_run("other", RunStatus.PAUSED, n_epochs=2, loss__l2=0.5)
    log = RunLog(other.log_path)
    log.add("change", step=6, settings={"optimizer.learning_rate": 0.25})
    log.close()
    rate = one.recipe.optimizer.learning_rate
    assert main(["runs", "compare", "one", other.id[-6:]]) == 0
    assert rows(capsys) == [
        "one other",
        f"id {one.id[-6:]} {other.id[-6:]}",
        "status finished paused",
        "epochs 3 / 3 2 / 3",
        "validation 87.50% 75.00%",
        "test 86.50% –",
        "time 0:03 0:02",
        "loss.l2 0.0 0.5",
        f"optimizer.learning_rate {rate} {rate}, 0.25 from step 6",
    ]
    assert main(["runs", "compare", "one", "other", "--json"]) == 0
    values = the_object(capsys)
    assert values["differences"]["loss.l2"] == ["0.0", "0.5"]
    assert [run["settings"]["loss.l2"] for run in values["runs"]] == [0.0, 0.5]
    assert values["runs"][1]["changes"] == [{"step": 6, "settings": {"optimizer.learning_rate": 0.25}}]


def test_comparison_reports_equal_settings(capsys: pytest.CaptureFixture[str]) -> None:
    """If all settings are the same, a message says so."""
    one, other = made_run(), made_run()
    assert main(["runs", "compare", one.id, other.id]) == 0
    assert capsys.readouterr().err == "all settings are the same\n"


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_curves_are_drawn(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The curves of several runs are saved in one picture, which replaces an existing file."""
    made_run("one")
    made_run("other", n_epochs=0)
    path = tmp_path / f"both.{kind}"
    path.write_text("old")
    assert main(["runs", "compare", "one", "other", "--plot", str(path), "--x", "epoch"]) == 0
    assert capsys.readouterr().err.splitlines()[0] == f"saved {path}"
    if kind == "png":
        with Image.open(path) as image:
            image.verify()
    else:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_log_is_exported_as_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has one row per step; an existing file is replaced only with --force."""
    run = made_run()
    path = tmp_path / "log.csv"
    assert main(["runs", "export", run.id, str(path), "--json"]) == 0
    assert the_object(capsys) == {"run": run.id, "file": str(path)}
    with path.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 13
    assert main(["runs", "export", run.id, str(path)]) == 1
    assert "--force" in one_error(capsys)
    path.write_text("old")
    assert main(["runs", "export", run.id, str(path), "--force"]) == 0
    assert path.read_text() != "old"


def test_picture_is_exported(tmp_path: Path) -> None:
    """The curves of a run can be saved over time."""
    run = made_run()
    path = tmp_path / "log.png"
    assert main(["runs", "export", run.id, str(path), "--x", "time"]) == 0
    with Image.open(path) as image:
        image.verify()


def test_run_is_renamed(capsys: pytest.CaptureFixture[str]) -> None:
    """A renamed run is found by its new name."""
    run = made_run()
    assert main(["runs", "rename", run.id[-6:], " mine ", "--json"]) == 0
    assert the_object(capsys) == {"run": run.id, "name": "mine"}
    assert Run.open(run.folder).name == "mine"
    assert main(["runs", "rename", "mine", "other"]) == 0
    assert capsys.readouterr().err == f"renamed mine to other; run {run.id}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "none"], "has no run 'none'"),
        (["compare", "one", "one"], "names the same run twice"),
        (["compare", "one", "--plot", "x.gif"], ".png or .svg"),
        (["compare", *"abcdefghi"], "9 runs are too many; compare at most 8"),
        (["export", "one", "x.txt"], ".csv, .png or .svg"),
        (["export", "none", "x.csv"], "has no run"),
        (["rename", "one", " "], "must not be empty"),
        (["rename", "none", "x"], "has no run"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The exit status is 1, the error is one line, and no file is written."""
    monkeypatch.chdir(tmp_path)
    made_run("one")
    assert main(["runs", *arguments]) == 1
    assert message in one_error(capsys)
    assert not list(tmp_path.glob("x.*"))
