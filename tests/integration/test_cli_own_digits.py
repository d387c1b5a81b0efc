import json
from pathlib import Path

import numpy as np
import pytest

from digitpad.cli import main
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.datasets.own_digits.transfer import export_strokes
from digitpad.ink.strokes import LabelledStrokes, write_strokes
from digitpad.nn.losses import NONE
from digitpad.training.adaptation import adapt as adaptation
from digitpad.training.adaptation.records import AdaptationSettings
from digitpad.weights.native_format import SHIPPED, load_weights
from tests.unit.ink.drawings import DIGITS
from tests.unit.training.adaptation.test_adapt import odd_digits

DENSE = str(SHIPPED.with_name("dense.npz"))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore the number of BLAS threads, which commands set in the environment."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a strokes file with a 7 labelled 3, and a 2 and a 4 with correct labels."""
    path = tmp_path / "odd.jsonl"
    write_strokes(path, [LabelledStrokes(DIGITS[shape], label) for shape, label in ((7, 3), (2, 2), (4, 4))] * 2)
    return path


def test_predict_reads_with_corrections(capsys: pytest.CaptureFixture[str], odd: Path, tmp_path: Path) -> None:
    """With --memory, a drawing like a corrected one is read as corrected, and the answer says so."""
    drawings = tmp_path / "drawings.jsonl"
    write_strokes(drawings, [LabelledStrokes(DIGITS[digit]) for digit in (7, 0)])
    assert main(["predict", "--strokes", str(drawings), "--memory", str(odd), "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["digit"], first["class"]) == (3, "3")
    assert first["correction"]["network_digit"] == 7
    assert first["probabilities"][3] == max(first["probabilities"])
    assert (second["digit"], second["correction"]) == (0, None)
    assert main(["predict", "--strokes", str(drawings), "--memory", str(odd)]) == 0
    assert "as you corrected" in capsys.readouterr().out


def test_predict_reports_damaged_lines(capsys: pytest.CaptureFixture[str], odd: Path) -> None:
    """A damaged line of the memory is reported and skipped."""
    with odd.open("a") as file:
        file.write('{"label": 1, "stro\n')
    assert main(["predict", "--strokes", str(odd), "--memory", str(odd)]) == 1  # the strokes must stay valid
    err = capsys.readouterr().err
    assert f"{odd}: line 7 was skipped" in err


def test_adapt_saves_a_network(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The JSON has the scores before and after, and the saved network can be loaded."""
    quick = AdaptationSettings(n_steps=60, n_mnist=2000, n_pen=200, n_validation=2000, max_drop=0.003)
    monkeypatch.setattr(adaptation, "DEFAULTS", quick)
    path = tmp_path / "own.jsonl"
    export_strokes(odd_digits(), path)
    out = tmp_path / "new.npz"
    assert main(["adapt", "--digits", str(path), "--weights", DENSE, "--out", str(out), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    for scores in (values["before"], values["after"]):
        assert scores.keys() == {"own_accuracy", "mnist_accuracy", "n_own"}
        assert scores["n_own"] == 4
    assert values["before"]["own_accuracy"] == 0.5
    assert values["after"]["own_accuracy"] == 1
    assert values["after"]["mnist_accuracy"] > 0.99
    assert len(values["now_read"]) == 6
    assert load_weights(out).test_accuracy == values["after"]["mnist_accuracy"]
    assert main(["adapt", "--digits", str(path), "--weights", DENSE, "--out", str(out)]) == 1
    assert "already exists" in capsys.readouterr().err


def test_adapt_without_digits_names_the_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without any labelled drawing, the error names the file of My digits."""
    assert main(["adapt", "--out", str(tmp_path / "new.npz")]) == 1
    assert "digits.jsonl: does not exist" in capsys.readouterr().err
    DigitStore().add([OwnDigit(NONE, tuple(DIGITS[7]))])
    assert main(["adapt", "--out", str(tmp_path / "new.txt")]) == 1
    assert "must end in .npz" in capsys.readouterr().err


def test_own_digits_are_a_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    """A network can be evaluated on My digits by name."""
    tilts = range(5)
    DigitStore().add(
        OwnDigit(digit, tuple(path + np.array([[tilt, 0]]) for path in DIGITS[digit]))
        for digit in DIGITS
        for tilt in tilts
    )
    assert main(["evaluate", DENSE, "--data", "my-digits", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["data"], scores["n"], scores["accuracy"]) == ("My digits", 4, 1)
