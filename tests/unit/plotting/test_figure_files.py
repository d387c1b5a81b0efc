import io
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from digitpad.plotting.figure_files import runs_figure, trials_figure
from digitpad.plotting.palette import LINE_COLOURS
from digitpad.runs.run import Run
from digitpad.runs.run_comparison import CurveAxis, RunLines, RunTrace
from digitpad.training.search_space import ChoiceRange, NumberRange, Range
from digitpad.tuning.trials import Trial, TrialOutcome
from tests.unit.training.made_runs import made_run

RANGES: list[Range] = [
    NumberRange("optimizer.learning_rate", 1e-4, 1e-1, logarithmic=True),
    NumberRange("network.hidden", 32, 512, logarithmic=True, in_list=True),
    NumberRange("network.dropout", 0.0, 0.5, logarithmic=False),
    ChoiceRange("optimizer.method", ("sgd", "adam")),
    ChoiceRange("network.initializer", ("he_normal", "he_uniform", "glorot_normal")),
]


def trials(n: int, name: str = "adam") -> list[Trial]:
    """Return trials of every outcome, one of them with a far lower accuracy."""
    rng = np.random.default_rng(1)
    result = []
    for number in range(n):
        settings = {
            "optimizer.learning_rate": float(10 ** rng.uniform(-4, -1)),
            "network.hidden": [int(rng.integers(32, 513))],
            "network.dropout": float(rng.uniform(0, 0.5)),
            "optimizer.method": name,
            "network.initializer": "he_uniform",
        }
        state = list(TrialOutcome)[number % len(TrialOutcome)]
        has_no_accuracy = state in (TrialOutcome.REFUSED, TrialOutcome.DIVERGED)
        accuracy = None if has_no_accuracy else 0.1 if number == 6 else float(rng.uniform(0.95, 0.98))
        result.append(Trial(number, {} if state is TrialOutcome.STOPPED else settings, accuracy, 3, state))
    return result


@pytest.mark.parametrize("n_ranges", [1, 2, 4, 5])
@pytest.mark.parametrize("n_trials", [0, 1, 40])
def test_picture_is_drawn(n_ranges: int, n_trials: int) -> None:
    """Figures for any number of trials have one panel per setting and a fixed width; their height grows."""
    with Image.open(io.BytesIO(trials_figure("quick", RANGES[:n_ranges], trials(n_trials), "png"))) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert pixels.shape == ({1: 885, 2: 885, 4: 1260, 5: 1260}[n_ranges], 1440, 3)
    red, _, blue = pixels.astype(int).transpose(2, 0, 1)
    assert (np.count_nonzero(blue > red + 100) > 50) == (n_trials > 0)


def test_picture_is_an_svg() -> None:
    """SVG output is well-formed, and the same trials give the same bytes."""
    figure = trials_figure("quick", RANGES, trials(20), "svg")
    assert ElementTree.fromstring(figure).tag.endswith("svg")
    assert trials_figure("quick", RANGES, trials(20), "svg") == figure


@pytest.mark.parametrize("name", ["$x$", "$\\frac", "数字", "a\nb", "<&>"], ids=ascii)
def test_name_may_be_any_text(name: str) -> None:
    """Names with mathematical notation or characters that the font lacks can be drawn."""
    ranges = [*RANGES[:3], ChoiceRange("optimizer.method", (name, "adam"))]
    for kind in ("png", "svg"):
        assert trials_figure(name, ranges, trials(8, name), kind)


def test_figure_imports_neither_qt_nor_optuna() -> None:
    """The trials figure imports neither Qt nor pyplot nor Optuna."""
    code = """
import sys
from digitpad.plotting.figure_files import trials_figure
from digitpad.training.search_space import ChoiceRange
assert trials_figure("quick", [ChoiceRange("optimizer.method", ("sgd", "adam"))], [], "png")
sys.exit(", ".join({"PySide6", "matplotlib.pyplot", "optuna"} & sys.modules.keys()) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def lines_of(axis: CurveAxis, *runs: Run) -> list[RunLines]:
    return [RunLines.of(RunTrace.of(run), axis, 2) for run in runs]


@pytest.mark.parametrize("axis", list(CurveAxis))
@pytest.mark.parametrize("logarithmic", [True, False])
def test_runs_are_drawn(axis: CurveAxis, logarithmic: bool) -> None:
    """Each run has its own colour, for all horizontal axes; a run without epochs can be drawn."""
    lines = lines_of(axis, made_run("_one"), made_run("$two$"), made_run(n_epochs=0))
    with Image.open(io.BytesIO(runs_figure(lines, axis, "png", logarithmic=logarithmic))) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    for colour in LINE_COLOURS[:2]:
        rgb = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
        assert np.count_nonzero((np.abs(pixels - np.array(rgb)) < 3).all(axis=1)) > 50


def test_figure_without_runs_is_empty() -> None:
    """A figure without data has empty axes."""
    figure = runs_figure(lines_of(CurveAxis.STEP, made_run(n_epochs=0)), CurveAxis.STEP, "svg")
    assert ElementTree.fromstring(figure).tag.endswith("svg")
