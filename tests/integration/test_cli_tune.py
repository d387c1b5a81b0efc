import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from digitpad.cli import main
from digitpad.datasets.dataset import mnist
from digitpad.training.events import EpochDone, Progress
from digitpad.training.trainer import Trainer
from tests.integration.test_cli import one_error
from tests.unit.datasets.idx_files import write_folder

TUNE = ["tune", "--recipe", "quick", "--set", "network.hidden=[8]", "--set", "training.epochs=2"]
RATES = ["--search", "optimizer.learning_rate=0.000001|0.01"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A folder with some hundred digits."""
    folder = write_folder(tmp_path_factory.mktemp("small"), mnist().training[:1000], mnist().test[:20])
    return ["--data", str(folder)]


def tune(data: list[str], *arguments: str) -> int:
    return main([*TUNE, *data, *RATES, *arguments])


def test_tune_prints_a_table(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """The best trial first, its settings by their keys; what goes on is told on standard error."""
    assert tune(data, "--trials", "4") == 0
    out, err = capsys.readouterr()
    heading, *rows = [line.split() for line in out.splitlines()]
    assert heading == ["trial", "optimizer.learning_rate", "validation", "epochs", "state"]
    assert sorted(row[0] for row in rows) == ["0", "1", "2", "3"]
    assert rows[0][1] == "0.01"
    assert [row[-1] for row in rows] == ["done"] * 4
    accuracies = [float(row[2].rstrip("%")) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len({line.index("done") for line in out.splitlines()[1:]}) == 1
    begin, kept, *told = err.splitlines()
    assert begin == "quick: optimizer.learning_rate in 0.000001|0.01"
    assert kept.endswith("quick.db; there: 0 trials, wanted: 4")
    assert [line.split()[:3] for line in told] == [["trial", str(number), "done"] for number in range(4)]


def test_tune_prints_json(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """One object, with every trial and the best of them."""
    assert tune(data, "--trials", "3", "--json", "--name", "mine") == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told.keys() == {"name", "storage", "best", "trials"}
    assert told["name"] == "mine"
    assert told["best"] == told["trials"][0]
    assert told["best"].keys() == {"number", "settings", "validation_accuracy", "epochs", "state"}
    assert {trial["number"] for trial in told["trials"]} == {0, 1, 2}


def test_tune_goes_on(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """The same command tells what was found; with more trials it adds those that are missing."""
    assert tune(data, "--trials", "2") == 0
    first = capsys.readouterr().out
    assert tune(data, "--trials", "2") == 0
    out, err = capsys.readouterr()
    assert out == first
    assert len(err.splitlines()) == 2
    assert tune(data, "--trials", "3") == 0
    out, err = capsys.readouterr()
    assert "there: 2 trials, wanted: 3" in err
    assert err.splitlines()[2].startswith("trial   2 ")
    assert len(out.splitlines()) == 4


def test_best_recipe_can_be_trained(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """What --out holds is a recipe by which a training comes to the accuracy that was found."""
    out_path = tmp_path / "best.toml"
    assert tune(data, "--trials", "3", "--out", str(out_path), "--json") == 0
    best = json.loads(capsys.readouterr().out)["best"]
    saved = tomllib.loads(out_path.read_text("utf-8"))
    assert saved["optimizer"]["learning_rate"] == 0.01
    assert saved["name"] == "best"
    assert "search" not in saved
    assert main(["train", "--recipe", str(out_path), "--out", str(tmp_path / "best.npz"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["validation_accuracy"] == best["validation_accuracy"]


def test_tune_replaces_no_recipe_unasked(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """What is at --out stays, before any time is spent; with --force it goes."""
    out_path = tmp_path / "best.toml"
    out_path.write_text("precious")
    assert tune(data, "--trials", "1", "--out", str(out_path)) == 1
    assert one_error(capsys) == f"digitpad: {out_path}: is there already; --force replaces it"
    assert out_path.read_text() == "precious"
    assert tune(data, "--trials", "1", "--out", str(out_path), "--force") == 0
    assert tomllib.loads(out_path.read_text("utf-8"))["name"] == "best"


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_tune_draws_its_trials(data: list[str], tmp_path: Path, kind: str) -> None:
    """Into a file of the kind that its name says, again and again."""
    path = tmp_path / f"trials.{kind}"
    for n_trials in ("1", "2"):
        assert tune(data, "--trials", n_trials, "--plot", str(path)) == 0
    if kind == "png":
        with Image.open(path) as image:
            assert image.format == "PNG"
    else:
        assert path.read_bytes().startswith(b"<?xml")


def test_recipe_brings_its_ranges(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """Without --search they are enough; what is set is not searched, and --search replaces a range of the recipe."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        "[training]\nepochs = 1\n[network]\nhidden = [8]\n"
        '[search]\noptimizer.learning_rate = "0.001..0.1:log"\ntraining.batch_size = "50..60"\n'
    )
    own = ["tune", "--recipe", str(recipe), *data, "--trials", "1", "--json"]

    def searched(*arguments: str) -> dict[str, Any]:
        assert main([*own, *arguments]) == 0
        settings: dict[str, Any] = json.loads(capsys.readouterr().out)["best"]["settings"]
        return settings

    assert searched("--name", "a").keys() == {"optimizer.learning_rate", "training.batch_size"}
    assert searched("--name", "b", "--set", "training.batch_size=70").keys() == {"optimizer.learning_rate"}
    assert searched("--name", "c", "--search", "training.batch_size=70|80")["training.batch_size"] in (70, 80)
    assert main([*own, "--set", "training.seed=1", "--search", "training.seed=1..2"]) == 1
    assert one_error(capsys) == "digitpad: training.seed: is both set and searched"


def test_interrupted_search_keeps_what_was_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: list[str]
) -> None:
    """After Ctrl-C the status is the one that shells expect, and the same command goes on."""
    run = Trainer.train
    n_runs = 0

    def interrupted(self: Trainer) -> Iterator[Progress]:
        nonlocal n_runs
        n_runs += 1
        for progress in run(self):
            yield progress
            if n_runs == 2 and isinstance(progress, EpochDone) and progress.epoch == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "train", interrupted)
    assert tune(data, "--trials", "3") == 130
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "stopped with 1 trial; the same command goes on"
    assert tune(data, "--trials", "3") == 0
    assert "there: 1 trial, wanted: 3" in capsys.readouterr().err


def test_search_of_which_nothing_comes_fails(
    capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path
) -> None:
    """Where no trial came to its end, there is a table, but no recipe."""
    arguments = ["--trials", "1", "--timeout", "0", "--out", str(tmp_path / "best.toml")]
    assert tune(data, *arguments) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert err.splitlines()[-1] == "digitpad: quick: no trial came to its end, so that none is the best"
    assert not (tmp_path / "best.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "dense"], "recipe 'dense' has no ranges of its own; --search KEY=RANGE gives them"),
        (["--search", "training.epochs"], "--search training.epochs: expected KEY=VALUE"),
        (["--search", "colour=1..2"], "colour: is not a setting of a recipe"),
        (["--search", "training.epochs=0..2"], "training.epochs: invalid search range '0..2': is 0; enter 1"),
        (["--search", "training.epochs=1-2"], "enter LOW..HIGH, LOW..HIGH:log or A|B|C"),
        (["--storage", "nonsense"], "the storage is not a database URL"),
        (["--storage", "sqlite:///nowhere/x.db"], "nowhere/x.db: unable to open database file"),
        (["--out", "best.txt"], "best.txt: recipes are saved as .toml"),
        (["--out", "nowhere/best.toml"], "nowhere: is not a folder"),
        (["--plot", "trials.pdf"], "trials.pdf: pictures are saved as .png or .svg"),
        (["--plot", "nowhere/trials.png"], "nowhere: is not a folder"),
        (["--data", "nowhere"], "nowhere: is not there"),
    ],
    ids=lambda case: " ".join(case) if isinstance(case, list) else "",
)
def test_failure_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    data: list[str],
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    """The status is 1, the line says what is wrong, before any time is spent."""
    monkeypatch.chdir(tmp_path)
    assert main(["tune", "--recipe", "quick", *data, *arguments]) == 1
    assert message in one_error(capsys)


@pytest.mark.parametrize(
    "arguments", [["--trials", "0"], ["--timeout", "soon"], ["--timeout", "-1"], ["quick"]], ids=" ".join
)
def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """The status is 2, and how it is used is said on standard error."""
    with pytest.raises(SystemExit) as caught:
        main(["tune", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: digitpad tune")


def test_missing_optuna_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: list[str]
) -> None:
    """With the command that installs it."""
    monkeypatch.delitem(sys.modules, "digitpad.tuning.optuna_search", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert tune(data) == 1
    assert "python -m pip install 'digitpad[tune]'" in one_error(capsys)


def started(arguments: list[str]) -> subprocess.Popen[str]:
    """A process that has imported everything, and begins when a line is sent to it."""
    code = f"""
import sys
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell started the tests behind it
import digitpad.tuning.optuna_search
from digitpad.cli import main
print("ready", flush=True)
sys.stdin.readline()
sys.exit(main({arguments!r}))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_share_a_search(data: list[str], tmp_path: Path) -> None:
    """Both begin in a database that is not there yet; each trial is one process's, and none is lost."""
    url = f"sqlite:///{(tmp_path / 'shared.db').as_posix()}"
    arguments = [*TUNE, *data, "--search", "optimizer.learning_rate=0.001..0.1:log", "--storage", url, "--json"]
    processes = [started([*arguments, "--trials", "12"]) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], [err for _, err in ended]
    own = [{int(line.split()[1]) for line in err.splitlines() if line.startswith("trial ")} for _, err in ended]
    assert all(own)
    assert not own[0] & own[1]
    again = started([*arguments, "--trials", "1"])
    out, _ = again.communicate("\n", timeout=60)
    trials = json.loads(out)["trials"]
    # Each looks before it begins a trial, so that the last may be begun by both.
    assert len(trials) in (12, 13)
    assert {trial["number"] for trial in trials} == own[0] | own[1] == set(range(len(trials)))
    assert {trial["state"] for trial in trials} <= {"done", "pruned"}
    assert len({trial["settings"]["optimizer.learning_rate"] for trial in trials}) == len(trials)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_signal_ends_the_search(data: list[str], tmp_path: Path) -> None:
    """A real Ctrl-C, with no traceback after it; the trial that ran is marked."""
    url = f"sqlite:///{(tmp_path / 'search.db').as_posix()}"
    arguments = [*TUNE, *data, *RATES, "--storage", url, "--set", "training.epochs=10000"]
    process = started(arguments)
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stderr.readline().startswith("quick: ")
    assert process.stderr.readline().startswith("kept in ")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "stopped with 0 trials; the same command goes on\n"
