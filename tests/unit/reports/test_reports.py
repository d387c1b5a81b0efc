import re
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from digitpad import __version__
from digitpad.datasets.dataset import Digits
from digitpad.evaluation.assessment import Assessment, assessment_from
from digitpad.evaluation.parallel_predictor import Inference
from digitpad.evaluation.significance import compare
from digitpad.gui.reporting.report_saver import pdf
from digitpad.reports import evaluation_report as evaluation_report_module
from digitpad.reports.evaluation_report import evaluation_report
from digitpad.reports.run_report import runs_report
from digitpad.weights.native_format import SHIPPED, Weights, load_weights
from tests.unit.training.made_runs import made_run


def assessed(weights: Weights, n_wrong: int) -> Assessment:
    """Return an assessment of 60 random images with this number of mistakes."""
    rng = np.random.default_rng(2)
    digits = Digits(rng.integers(0, 255, (60, 28, 28), dtype=np.uint8), (np.arange(60) % 10).astype(np.uint8))
    logits = 5 * np.eye(10, dtype=np.float32)[(digits.labels + (np.arange(60) < n_wrong)) % 10]
    features = rng.normal(size=(60, 4)).astype(np.float32)
    return assessment_from(weights, "MNIST", "test", digits, Inference(logits, features))


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights(SHIPPED)


def test_an_evaluation_report_is_one_file_with_everything(weights: Weights) -> None:
    """Scores, classes, matrix, diagrams, mistakes and versions; nothing is loaded from elsewhere."""
    html = evaluation_report([assessed(weights, 6)])
    assert "<td>90.00\N{NO-BREAK SPACE}%</td>" in html
    assert re.search(r"<td>79\.\d\d–95\.\d\d\N{NO-BREAK SPACE}%</td>", html)
    for title in ("Scores", "Classes", "Confusion matrix", "Reliability", "Worst mistakes", "Versions"):
        assert f"<h2>{title}" in html
    assert html.count('class="digit"') == 6
    assert "0 → 1" in html
    assert __version__ in html
    assert set(re.findall(r'src="([^",]{10})', html)) == {"data:image"}
    assert not re.findall(r"https?:|<script|<link", html)


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw only the first of the figures, as each takes a while."""
    monkeypatch.setattr(evaluation_report_module, "_FIGURES", evaluation_report_module._FIGURES[:1])


@pytest.mark.usefixtures("one_figure")
def test_two_networks_are_compared_and_names_are_escaped(weights: Weights) -> None:
    """A name of a file is text, whatever is in it."""
    one, other = assessed(weights, 2), assessed(replace(weights, name="<b>&.npz"), 20)
    html = evaluation_report([one, other], compare(one.right, other.right))
    assert "&lt;b&gt;&amp;.npz" in html
    assert "<b>" not in html
    assert "statistically significant" in html
    assert html.count("<h2>Confusion matrix") == 2


@pytest.mark.usefixtures("one_figure")
def test_no_mistakes_are_said_to_be_none(weights: Weights) -> None:
    """A perfect score has no section of images."""
    html = evaluation_report([assessed(weights, 0)])
    assert "<p>None.</p>" in html


@pytest.mark.usefixtures("one_figure")
def test_a_report_becomes_a_pdf(qtbot: QtBot, weights: Weights) -> None:
    """With its pictures; Qt writes it."""
    content = pdf(evaluation_report([assessed(weights, 3)]))
    assert content.startswith(b"%PDF-1")
    assert content.rstrip().endswith(b"%%EOF")
    assert content.count(b"/Subtype /Image") >= 2


def test_a_report_of_runs_has_curves_and_settings() -> None:
    """One column of settings for each run; their scores and one picture of their curves."""
    runs = [made_run("first", n_epochs=2), made_run("second")]
    html = runs_report(runs)
    assert "<h1>2 training runs</h1>" in html
    for text in ("<th>first</th>", "<th>second</th>", "<td>optimizer.learning_rate</td>", "<h2>Curves</h2>"):
        assert text in html
    assert len(re.findall(r'src="data:image/png', html)) == 1
    assert "<h1>Training of first</h1>" in runs_report(runs[:1])
