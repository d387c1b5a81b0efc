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
    """Return the arguments for a dataset of 1,000 training digits and 20 test digits."""
    folder = write_folder(tmp_path_factory.mktemp("small"), mnist().training[:1000], mnist().test[:20])
    return ["--data", str(folder)]


def tune(data: list[str], *arguments: str) -> int:
    return main([*TUNE, *data, *RATES, *arguments])


def test_tune_prints_a_table(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """The table starts with the best trial; progress goes to standard error."""
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
    first, second, *trials = err.splitlines()
    assert first == "quick: optimizer.learning_rate in 0.000001|0.01"
    assert second.endswith("quick.db; 0 trials so far, 4 requested")
    assert [line.split()[:3] for line in trials] == [["trial", str(number), "done"] for number in range(4)]


def test_tune_prints_json(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """The JSON object has every trial and the best one."""
    assert tune(data, "--trials", "3", "--json", "--name", "mine") == 0
    (line,) = capsys.readouterr().out.splitlines()
    values = json.loads(line)
    assert values.keys() == {"name", "storage", "best", "trials"}
    assert values["name"] == "mine"
    assert values["best"] == values["trials"][0]
    assert values["best"].keys() == {"number", "settings", "validation_accuracy", "epochs", "state"}
    assert {trial["number"] for trial in values["trials"]} == {0, 1, 2}


def test_tune_resumes_a_search(capsys: pytest.CaptureFixture[str], data: list[str]) -> None:
    """The same command prints the same results; with a larger --trials it adds the missing trials."""
    assert tune(data, "--trials", "2") == 0
    first = capsys.readouterr().out
    assert tune(data, "--trials", "2") == 0
    out, err = capsys.readouterr()
    assert out == first
    assert len(err.splitlines()) == 2
    assert tune(data, "--trials", "3") == 0
    out, err = capsys.readouterr()
    assert "2 trials so far, 3 requested" in err
    assert err.splitlines()[2].startswith("trial   2 ")
    assert len(out.splitlines()) == 4


def test_best_recipe_can_be_trained(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """Training with the recipe at --out reaches the accuracy of the best trial."""
    out_path = tmp_path / "best.toml"
    assert tune(data, "--trials", "3", "--out", str(out_path), "--json") == 0
    best = json.loads(capsys.readouterr().out)["best"]
    saved = tomllib.loads(out_path.read_text("utf-8"))
    assert saved["optimizer"]["learning_rate"] == 0.01
    assert saved["name"] == "best"
    assert "search" not in saved
    assert main(["train", "--recipe", str(out_path), "--out", str(tmp_path / "best.npz"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["validation_accuracy"] == best["validation_accuracy"]


def test_tune_replaces_a_recipe_only_with_force(
    capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path
) -> None:
    """An existing file at --out is kept, and reported before the search; --force replaces it."""
    out_path = tmp_path / "best.toml"
    out_path.write_text("precious")
    assert tune(data, "--trials", "1", "--out", str(out_path)) == 1
    assert one_error(capsys) == f"digitpad: {out_path}: already exists; use --force to replace it"
    assert out_path.read_text() == "precious"
    assert tune(data, "--trials", "1", "--out", str(out_path), "--force") == 0
    assert tomllib.loads(out_path.read_text("utf-8"))["name"] == "best"


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_tune_draws_its_trials(data: list[str], tmp_path: Path, kind: str) -> None:
    """A plot of the trials is saved as PNG or SVG, and replaces an existing one."""
    path = tmp_path / f"trials.{kind}"
    for n_trials in ("1", "2"):
        assert tune(data, "--trials", n_trials, "--plot", str(path)) == 0
    if kind == "png":
        with Image.open(path) as image:
            assert image.format == "PNG"
    else:
        assert path.read_bytes().startswith(b"<?xml")


def test_ranges_of_a_recipe_are_used(capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path) -> None:
    """The ranges of a recipe are used, except settings given with --set; --search replaces a range."""
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
    assert one_error(capsys) == "digitpad: training.seed: is given to both --set and --search; use one of them"


def test_interrupted_search_keeps_its_trials(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: list[str]
) -> None:
    """Ctrl-C ends with status 130, and the same command continues the search."""
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
    assert err.splitlines()[-1] == "stopped after 1 trial; run the same command to continue"
    assert tune(data, "--trials", "3") == 0
    assert "1 trial so far, 3 requested" in capsys.readouterr().err


def test_search_without_a_finished_trial_fails(
    capsys: pytest.CaptureFixture[str], data: list[str], tmp_path: Path
) -> None:
    """If no trial finishes, there is a table but no recipe, and the status is 1."""
    arguments = ["--trials", "1", "--timeout", "0", "--out", str(tmp_path / "best.toml")]
    assert tune(data, *arguments) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert err.splitlines()[-1] == "digitpad: quick: no trial finished, so there is no best recipe"
    assert not (tmp_path / "best.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "dense"], "recipe 'dense' has no search ranges; add them with --search KEY=RANGE"),
        (["--search", "training.epochs"], "--search training.epochs: expected KEY=VALUE"),
        (["--search", "colour=1..2"], "colour: is not a setting of a recipe"),
        (["--search", "training.epochs=0..2"], "training.epochs: invalid search range '0..2': is 0; enter 1"),
        (["--search", "training.epochs=1-2"], "enter LOW..HIGH, LOW..HIGH:log or A|B|C"),
        (["--storage", "nonsense"], "the storage is not a database URL"),
        (["--storage", "sqlite:///nowhere/x.db"], "nowhere/x.db: unable to open database file"),
        (["--out", "best.txt"], "best.txt: a recipe file must end in .toml"),
        (["--out", "nowhere/best.toml"], "nowhere: is not a folder"),
        (["--plot", "trials.pdf"], "trials.pdf: a picture must end in .png or .svg"),
        (["--plot", "nowhere/trials.png"], "nowhere: is not a folder"),
        (["--data", "nowhere"], "nowhere: does not exist"),
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
    """The status is 1, and one line describes the error before the search starts."""
    monkeypatch.chdir(tmp_path)
    assert main(["tune", "--recipe", "quick", *data, *arguments]) == 1
    assert message in one_error(capsys)


@pytest.mark.parametrize(
    "arguments", [["--trials", "0"], ["--timeout", "soon"], ["--timeout", "-1"], ["quick"]], ids=" ".join
)
def test_wrong_usage_is_reported(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """The status is 2, and standard error shows the usage."""
    with pytest.raises(SystemExit) as caught:
        main(["tune", *arguments])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: digitpad tune")


def test_missing_optuna_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: list[str]
) -> None:
    """The error has the command that installs Optuna."""
    monkeypatch.delitem(sys.modules, "digitpad.tuning.optuna_search", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert tune(data) == 1
    assert "python -m pip install 'digitpad[tune]'" in one_error(capsys)


def started(arguments: list[str]) -> subprocess.Popen[str]:
    """Start a process that imports everything, then waits for a line before it runs the command."""
    code = f"""
import sys
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for background jobs
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
    """Two processes that start with the same new database share the trials, and none is lost."""
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
    # Each process counts the trials before it starts one, so both may start the last.
    assert len(trials) in (12, 13)
    assert {trial["number"] for trial in trials} == own[0] | own[1] == set(range(len(trials)))
    assert {trial["state"] for trial in trials} <= {"done", "pruned"}
    assert len({trial["settings"]["optimizer.learning_rate"] for trial in trials}) == len(trials)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_signal_ends_the_search(data: list[str], tmp_path: Path) -> None:
    """A real SIGINT ends the search with status 130 and without a traceback."""
    url = f"sqlite:///{(tmp_path / 'search.db').as_posix()}"
    arguments = [*TUNE, *data, *RATES, "--storage", url, "--set", "training.epochs=10000"]
    process = started(arguments)
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stderr.readline().startswith("quick: ")
    assert process.stderr.readline().startswith("saved in ")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "stopped after 0 trials; run the same command to continue\n"
