import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from digitpad import __version__
from digitpad.cli import evaluate, main
from digitpad.datasets.dataset import mnist
from digitpad.ink.strokes import LabelledStrokes, write_strokes
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.weights.native_format import SHIPPED, Weights, load_weights
from tests.root import ROOT
from tests.unit.datasets.idx_files import write_folder
from tests.unit.ink.drawings import DIGITS, picture, pixels

QUICK = ["train", "--recipe", "quick", "--set", "training.epochs=1", "--json"]
ONE_LINE = '{"strokes": [[[0, 0], [100, 200]]]}\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def own_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the number of BLAS threads, which commands set in the environment."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", os.environ.get("OPENBLAS_NUM_THREADS", "1"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 1,000 training digits and 100 test digits."""
    return write_folder(tmp_path_factory.mktemp("small"), mnist().training[:1000], mnist().test[:100])


@pytest.fixture
def strokes(tmp_path: Path) -> Path:
    path = tmp_path / "strokes.jsonl"
    drawings = [LabelledStrokes(DIGITS[digit], digit) for digit in (7, 2, 4, 0)]
    write_strokes(path, [*drawings, LabelledStrokes([]), LabelledStrokes(DIGITS[4]), LabelledStrokes(DIGITS[4], 9)])
    return path


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def one_error(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the only line of standard error; standard output must be empty."""
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("digitpad: ")
    return line


def test_evaluate_scores_the_shipped_weights(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments, the built-in network is evaluated on the built-in test set, and only JSON is printed."""
    assert main(["evaluate", "--json"]) == 0
    out, err = capsys.readouterr()
    (scores,) = objects(out)
    assert err == ""
    assert scores.keys() == {
        "weights", "data", "part", "accuracy", "interval", "loss", "calibration_error", "not_sure",
        "accuracy_when_sure", "n", "classes", "confusion", "convention", "notes", "skipped", "doubt",
    }  # fmt: skip
    assert sum(map(sum, scores["confusion"])) == sum(row["n"] for row in scores["classes"]) == 10_000
    assert sum(scores["confusion"][digit][digit] for digit in range(10)) == round(10_000 * scores["accuracy"])
    low, high = scores["interval"]
    assert low < scores["accuracy"] < high < low + 0.01
    assert 0 <= scores["calibration_error"] < 0.05
    assert 0 <= scores["not_sure"] < 0.05
    assert (scores["weights"], scores["data"], scores["n"]) == ("digits.npz", "MNIST", 10_000)
    assert scores["accuracy"] == pytest.approx(load_weights(SHIPPED).test_accuracy, abs=1e-3)


def test_evaluate_takes_other_weights_and_data(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    """A network and a dataset can be given; without --json the result is a sentence."""
    assert main(["evaluate", str(SHIPPED), "--data", str(data)]) == 0
    out, _ = capsys.readouterr()
    assert out.startswith("digits.npz: accuracy ")
    assert f"on 100 test digits of {data.name}" in out


def test_predict_reads_images(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One object is printed per image, in the order of the arguments."""
    paths = []
    for digit in (7, 4, 2):
        paths.append(str(tmp_path / f"{digit}.png"))
        Image.fromarray(pixels(1 - picture(DIGITS[digit], width_px=40))).save(paths[-1])
    Image.new("L", (30, 30), 255).save(tmp_path / "blank.png")
    assert main(["predict", *paths, str(tmp_path / "blank.png"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert [answer["digit"] for answer in objects(out)] == [7, 4, 2, None]
    assert err == ""
    for answer in objects(out)[:3]:
        assert answer.keys() == {"digit", "class", "probabilities", "sure", "text", "items"}
        assert answer["class"] == str(answer["digit"])
        assert len(answer["probabilities"]) == 10
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_predict_reads_strokes(capsys: pytest.CaptureFixture[str], strokes: Path) -> None:
    """Drawings are read in order, with the label if there is one, and null for a blank drawing."""
    assert main(["predict", "--strokes", str(strokes), "--json"]) == 0
    out, err = capsys.readouterr()
    answers = objects(out)
    assert [answer["digit"] for answer in answers] == [7, 2, 4, 0, None, 4, 4]
    assert [answer.get("label", "none") for answer in answers] == [7, 2, 4, 0, "none", "none", 9]
    nothing: dict[str, Any] = {
        "digit": None,
        "class": None,
        "probabilities": None,
        "sure": False,
        "text": "",
        "items": [],
    }
    assert answers[4] == nothing
    assert err == "4 of 5 labelled drawings read correctly: 80.00%\n"


def test_predict_reads_numbers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A number has a text and an item for each digit; the summary counts whole numbers."""
    seven_two = [*DIGITS[7], *(path + np.array([300, 0]) for path in DIGITS[2])]
    path = tmp_path / "numbers.jsonl"
    write_strokes(
        path, [LabelledStrokes(seven_two, "72"), LabelledStrokes(seven_two, "7"), LabelledStrokes(DIGITS[4], 4)]
    )
    assert main(["predict", "--strokes", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    number, _, digit = objects(out)
    assert [number[key] for key in ("digit", "class", "probabilities", "sure")] == [None, None, None, True]
    assert (number["text"], number["label"]) == ("72", "72")
    first, second = number["items"]
    assert first.keys() == {"digit", "class", "probabilities", "sure", "box"}
    assert (first["digit"], first["class"], len(first["probabilities"])) == (7, "7", 10)
    assert first["box"] == [140, 100, 200, 290]
    assert second["box"] == [430, 90, 200, 280]
    assert (digit["digit"], digit["text"], len(digit["items"])) == (4, "4", 1)
    assert err == "2 of 3 labelled drawings read correctly: 66.67%\n"
    assert main(["predict", "--strokes", str(path)]) == 0
    assert capsys.readouterr().out.startswith("72 ")


def test_predict_reads_one_digit_if_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With --single, each drawing has a single item."""
    path = tmp_path / "numbers.jsonl"
    write_strokes(path, [LabelledStrokes([*DIGITS[7], *(path + np.array([300, 0]) for path in DIGITS[2])])])
    assert main(["predict", "--strokes", str(path), "--single", "--json"]) == 0
    (answer,) = objects(capsys.readouterr().out)
    assert answer["digit"] is not None
    assert len(answer["items"]) == 1
    assert answer["items"][0]["box"] == [140, 90, 490, 300]


def test_predict_prints_one_line_per_drawing(capsys: pytest.CaptureFixture[str], strokes: Path) -> None:
    """One line is printed per drawing: the digit, the confidence and the line in the file."""
    assert main(["predict", "--strokes", str(strokes)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("7 ")
    assert lines[0].endswith("line 1  (label 7)")
    assert lines[4].startswith("nothing drawn")


def test_predict_counts_blank_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Line numbers count blank lines, as in an editor."""
    (tmp_path / "strokes.jsonl").write_text(f"{ONE_LINE}\n{ONE_LINE}")
    assert main(["predict", "--strokes", str(tmp_path / "strokes.jsonl")]) == 0
    assert [line.split("  ")[-1] for line in capsys.readouterr().out.splitlines()] == ["line 1", "line 3"]


def test_predict_takes_other_weights(
    capsys: pytest.CaptureFixture[str], strokes: Path, data: Path, tmp_path: Path
) -> None:
    """Newly trained weights can be used."""
    assert main([*QUICK, "--data", str(data), "--out", str(tmp_path / "mine.npz")]) == 0
    capsys.readouterr()
    assert main(["predict", "--strokes", str(strokes), "--weights", str(tmp_path / "mine.npz"), "--json"]) == 0
    assert len(objects(capsys.readouterr().out)) == 7


def test_train_saves_weights(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    """The weights are saved at --out with their description, and the printed object agrees with it."""
    out_path = tmp_path / "mine.npz"
    assert main([*QUICK, "--set", "training.seed=3", "--data", str(data), "--out", str(out_path)]) == 0
    out, err = capsys.readouterr()
    (result,) = objects(out)
    weights = load_weights(out_path)
    assert result["weights"] == str(out_path)
    assert (result["recipe"], result["epochs"], result["best_epoch"]) == ("quick", 1, 1)
    assert result["test_accuracy"] == weights.test_accuracy
    settings = weights.about["recipe"]["training"]
    assert (settings["batch_size"], settings["epochs"], settings["seed"]) == (128, 1, 3)
    assert weights.about["recipe"]["data"]["set"] == str(data)
    assert weights.about["data"]["name"] == data.name
    assert [line.split()[:2] for line in err.splitlines()] == [
        ["quick:", "784-128-10"],
        ["epoch", "0"],
        ["epoch", "1"],
        ["saved", str(out_path)],
    ]


def test_train_keeps_runs_in_the_users_folder(
    capsys: pytest.CaptureFixture[str], home: Path, data: Path, tmp_path: Path
) -> None:
    """Each run has its own folder with its weights; a recipe may be a file."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text("[network]\nhidden = [4]\n[training]\nepochs = 1\n")
    for _ in range(2):
        assert main(["train", "--recipe", str(recipe), "--data", str(data), "--json"]) == 0
    paths = [Path(result["weights"]) for result in objects(capsys.readouterr().out)]
    assert len(set(paths)) == 2
    assert sorted((home / "runs").iterdir()) == sorted(path.parent for path in paths)
    assert all(load_weights(path).about["recipe"]["name"] == "tiny" for path in paths)


def test_train_replaces_a_file_only_with_force(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    """An existing file at --out is kept, and reported before training; --force replaces it."""
    path = tmp_path / "mine.npz"
    path.write_bytes(b"precious")
    arguments = [*QUICK, "--data", str(data), "--out", str(path)]
    assert main(arguments) == 1
    assert one_error(capsys) == f"digitpad: {path}: already exists; use --force to replace it"
    assert path.read_bytes() == b"precious"
    assert main([*arguments, "--force"]) == 0
    assert load_weights(path).test_accuracy is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "nowhere.npz"], "nowhere.npz: cannot be read"),
        (["evaluate", str(ROOT / "pyproject.toml")], "is not JSON"),
        (["evaluate", "--data", "nowhere"], "nowhere: does not exist"),
        (["evaluate", "--plot", "x.jpg"], "x.jpg: a picture must end in .png or .svg"),
        (["evaluate", "--plot", "nowhere/x.png"], "nowhere: is not a folder"),
        (["evaluate", "--csv", "nowhere/x.csv"], "nowhere: is not a folder"),
        (["evaluate", "--compare", "nowhere.npz"], "nowhere.npz: cannot be read"),
        (["predict", "nowhere.png"], "nowhere.png: cannot be read"),
        (["predict", "--strokes", "nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        (["predict", "x.png", "--weights", "nowhere.npz"], "nowhere.npz: cannot be read"),
        (
            [*QUICK, "--recipe", "slow"],
            "there is no recipe 'slow'; choose a FILE.toml, or one of dense, dense-256-128, dense-64, ",
        ),
        ([*QUICK, "--recipe", "nowhere.toml"], "nowhere.toml: cannot be read"),
        ([*QUICK, "--set", "training.epochs"], "--set training.epochs: expected KEY=VALUE"),
        ([*QUICK, "--set", "training.epochs=0"], "training.epochs: is 0; enter 1 to 10,000"),
        ([*QUICK, "--set", "training.epochs=many"], "training.epochs: is 'many'; enter a whole number"),
        ([*QUICK, "--set", "colour=red"], "colour: is not a setting"),
        ([*QUICK, "--set", "optimizer.learning_rate=1" + "0" * 400], "optimizer.learning_rate: is"),
        ([*QUICK, "--set", "training.epochs=" + "1" * 5000], "training.epochs: is"),
        ([*QUICK, "--set", "network.hidden=" + "[" * 5000], "network.hidden: is"),
        ([*QUICK, "--data", "nowhere"], "nowhere: does not exist"),
        ([*QUICK, "--out", "weights.txt"], "weights.txt: a weights file must end in .npz"),
        ([*QUICK, "--out", "nowhere/weights.npz"], "nowhere: is not a folder"),
    ],
    ids=lambda case: " ".join(case)[:70] if isinstance(case, list) else "",
)
def test_failure_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    """The exit status is 1, the error is one line, and standard output is empty."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert message in one_error(capsys)


def test_unusable_user_folder_is_reported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """If runs cannot be saved, one line says so before training starts."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "file"))
    assert main(QUICK) == 1
    assert str(tmp_path / "file") in one_error(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", "x.png", "--strokes", "x.jsonl"],
        ["predict", "--colour"],
        ["train", "quick"],
        ["train", "--threads", "0"],
        ["train", "--threads", "many"],
        ["evaluate", "a.npz", "b.npz"],
        ["one.npz", "two.npz"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_reported(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """The exit status is 2, and standard error shows the usage."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: digitpad")


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is that of the package."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.splitlines()[0] == f"digitpad {__version__}"


def buffered() -> dict[str, str]:
    """Return the environment without PYTHONUNBUFFERED, as most users have it."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("command", [[], ["train"], ["tune"], ["evaluate"], ["predict"]], ids=str)
def test_help_imports_no_large_library(command: list[str]) -> None:
    """--help imports none of the large libraries."""
    code = f"""
import sys
from digitpad.cli import evaluate, main
try:
    main({[*command, "--help"]!r})
except SystemExit as stop:
    assert stop.code == 0
sys.exit(", ".join({{"numpy", "PySide6", "matplotlib", "PIL", "optuna"}} & sys.modules.keys()) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(" ".join(["usage: digitpad", *command]))


def test_module_equals_the_command() -> None:
    """``python -m digitpad`` takes the same arguments and returns the same status."""
    done = subprocess.run(
        [sys.executable, "-m", "digitpad", "evaluate", "nowhere.npz"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("digitpad: nowhere.npz: cannot be read")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
@pytest.mark.parametrize("n_read", [0, 1])
@pytest.mark.parametrize("n_drawings", [2, 1000])
def test_closed_pipe_ends_the_command_silently(tmp_path: Path, n_drawings: int, n_read: int) -> None:
    """When the reader closes the pipe, as ``| head -1`` does, the command ends without a message."""
    (tmp_path / "strokes.jsonl").write_text(ONE_LINE * n_drawings)
    with subprocess.Popen(
        [sys.executable, "-m", "digitpad", "predict", "--strokes", str(tmp_path / "strokes.jsonl"), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=buffered(),
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        for _ in range(n_read):
            assert b"digit" in command.stdout.readline()
        command.stdout.close()
        assert command.stderr.read() == b""
        assert command.wait(60) in (0, 1)


def test_predictions_of_odd_strokes_are_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Strokes of any size, even with subnormal numbers, are read without a message on standard error."""
    lines = [
        '{"strokes": [[[0, 0], [1e-310, 0]]]}',
        '{"strokes": [[[-999999999, 0], [999999999, 1]]]}',
        ONE_LINE.strip(),
    ]
    (tmp_path / "strokes.jsonl").write_text("\n".join(lines))
    assert main(["predict", "--strokes", str(tmp_path / "strokes.jsonl"), "--json"]) == 0
    out, err = capsys.readouterr()
    answers = objects(out)
    assert len(answers) == 3
    assert err == ""
    assert np.isfinite([answer["probabilities"] for answer in answers]).all()


def test_folder_named_mnist_is_not_the_built_in_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path after --data is never confused with the built-in dataset."""
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--data", "mnist"]) == 1
    assert "mnist: contains no dataset" in capsys.readouterr().err


def test_misspelt_command_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The error for a word that is neither a file nor a command lists the commands."""
    assert main(["trian"]) == 1
    assert "train, runs, recipes, tune, evaluate, predict, adapt, data, convert" in capsys.readouterr().err


def test_output_on_a_full_disk_is_a_one_line_error() -> None:
    """If standard output cannot be written, the exit status is 1 and the error is one line."""
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    command = f"{sys.executable} -m digitpad evaluate --json > /dev/full"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == "digitpad: standard output: cannot be written (No space left on device)\n"


def test_recipes_are_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built-in and own recipes are listed, each with its network and description."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.toml").write_text('description = "small"\n[network]\nhidden = [7]')
    assert main(["recipes"]) == 0
    output = capsys.readouterr().out
    assert "lenet\n    28×28-5×5×32-pool-5×5×64-pool-128-10, " in output
    assert output.endswith("mine  (yours)\n    784-7-10, 10 epochs, batch size 128\n    small\n")
    assert main(["recipes", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["folder"] == str(tmp_path / "recipes")
    assert [recipe["name"] for recipe in values["recipes"] if recipe["own"]] == ["mine"]


def test_broken_user_recipe_is_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other recipes are listed, and the error of a broken recipe is shown whenever it is needed."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "mine.toml").write_text("[training]\nepochs = 0")
    assert main(["recipes"]) == 1
    captured = capsys.readouterr()
    assert "quick\n" in captured.out
    assert "mine.toml: training.epochs: is 0" in captured.err
    assert main([*QUICK, "--recipe", "mine"]) == 1
    assert "mine.toml: training.epochs: is 0" in capsys.readouterr().err


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return the file of an untrained network."""
    network = Network(feedforward([8]))
    network.initialize(np.random.default_rng(1))
    path = tmp_path / "other.npz"
    Weights("other.npz", network.architecture(), network.parameters).save(path)
    return path


@pytest.mark.parametrize("name", evaluate.PICTURES)
def test_evaluate_saves_plots(data: Path, tmp_path: Path, other: Path, name: str) -> None:
    """Each picture can be saved for two networks."""
    path = tmp_path / "picture.png"
    command = ["evaluate", str(other), "--data", str(data), "--plot", str(path), "--picture", name]
    assert main([*command, "--compare", str(other)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "rows"), [("classes", 11), ("confusion", 11), ("digits", 101), ("robustness", 52)])
def test_evaluate_writes_tables(data: Path, tmp_path: Path, other: Path, name: str, rows: int) -> None:
    """Each table is saved as CSV with a header."""
    path = tmp_path / "table.csv"
    assert main(["evaluate", str(other), "--data", str(data), "--csv", str(path), "--table", name]) == 0
    assert len(path.read_text().splitlines()) == rows


def test_evaluate_compares(capsys: pytest.CaptureFixture[str], data: Path, other: Path) -> None:
    """A comparison has the scores of both networks, their difference with its interval, and the p-value."""
    command = ["evaluate", "--data", str(data), "--part", "validation", "--compare", str(other)]
    assert main([*command, "--json", "--robustness"]) == 0
    (scores,) = objects(capsys.readouterr().out)
    compared = scores["compared"]
    assert scores["part"] == "validation"
    assert compared["weights"] == "other.npz"
    assert compared["difference"] == pytest.approx(scores["accuracy"] - compared["accuracy"])
    assert compared["difference_interval"][0] < compared["difference"] < compared["difference_interval"][1]
    assert compared["p"] < 1e-6
    unchanged = dict(map(tuple, scores["robustness"]["rotation"]))[0]
    assert unchanged == scores["accuracy"]
    assert main([*command, "--robustness"]) == 0
    out = capsys.readouterr().out
    assert ", statistically significant (McNemar's test, p = " in out
    assert f"Shift (px): 0 {scores['accuracy']:.1%}, 1 " in out


def test_missing_class_has_null_scores(capsys: pytest.CaptureFixture[str], data: Path, other: Path) -> None:
    """An undefined score is null, because JSON has no NaN."""
    assert main(["evaluate", str(other), "--data", str(data), "--json"]) == 0
    (scores,) = objects(capsys.readouterr().out)
    assert None in [row["precision"] for row in scores["classes"]]
