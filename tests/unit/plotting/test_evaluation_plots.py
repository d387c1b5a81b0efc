import io
import subprocess
import sys
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from digitpad.evaluation.assessment import rejection_curve
from digitpad.evaluation.calibration import reliability
from digitpad.evaluation.feature_map import feature_map
from digitpad.evaluation.robustness import Robustness, RobustnessCurve
from digitpad.plotting.evaluation_plots import (
    Draw,
    draw_confusion,
    draw_map,
    draw_rejection_curve,
    draw_reliability,
    draw_robustness,
    rendered,
)
from digitpad.plotting.figure_files import evaluation_figure
from digitpad.plotting.palette import DARK

CONFIDENCES = np.linspace(0.3, 1, 200)
RIGHT = CONFIDENCES > 0.6
FEATURES = np.random.default_rng(1).normal(size=(200, 5)).astype(np.float32)
CLASSES = np.arange(200) % 10
NAMES = ("my $weights$", "_others 50% <&>" * 9)
CURVE = RobustnessCurve("Rotation", "°", np.array([-30.0, 0, 30]), np.array([0.5, 1, 0.5]))


def diagrams(names: tuple[str, ...]) -> dict[str, Draw]:
    return {
        "reliability": partial(draw_reliability, named=[(name, reliability(CONFIDENCES, RIGHT)) for name in names]),
        "threshold": partial(
            draw_rejection_curve, named=[(name, rejection_curve(CONFIDENCES, RIGHT, 0.5)) for name in names]
        ),
        "robustness": partial(draw_robustness, named=[(name, Robustness(50, (CURVE,) * 5)) for name in names]),
        "confusion": partial(draw_confusion, confusion=np.arange(100).reshape(10, 10)),
        "map": partial(draw_map, places=feature_map(FEATURES), labels=CLASSES, predicted=CLASSES[::-1]),
    }


@pytest.mark.parametrize("name", diagrams(NAMES))
def test_diagrams_are_drawn_into_files(name: str) -> None:
    """Figures are written as PNG and SVG for any network name."""
    draw = diagrams(NAMES)[name]
    with Image.open(io.BytesIO(evaluation_figure(draw, "$a$ on\nb", "png"))) as png:
        assert png.size == (1200, 900)
    assert ElementTree.fromstring(evaluation_figure(draw, "$a$ on b", "svg")).tag.endswith("svg")


def test_same_data_gives_the_same_bytes() -> None:
    """The same data gives the same bytes."""
    draw = diagrams(NAMES)["reliability"]
    assert evaluation_figure(draw, "a", "svg") == evaluation_figure(draw, "a", "svg")


@pytest.mark.parametrize("name", diagrams(NAMES))
def test_diagrams_are_drawn_for_the_window(name: str) -> None:
    """Figures for the window have the requested size, scale and colours."""
    pixels = rendered(diagrams(NAMES[:1])[name], 480, 360, 2, DARK)
    assert pixels.shape == (720, 960, 4)
    assert pixels[0, 0].tolist() == [0x1C, 0x20, 0x28, 0xFF]
    assert (pixels != pixels[0, 0]).any(axis=-1).sum() > 500


def test_extreme_data_are_drawn() -> None:
    """Extreme data can be drawn: one bin, an unreachable threshold, one digit, an empty matrix."""
    ones = np.ones(3)
    assert evaluation_figure(partial(draw_reliability, named=[("sure", reliability(ones, ones))]), "", "png")
    none_sure = rejection_curve(ones / 2, ones > 0, 0.9)
    assert evaluation_figure(partial(draw_rejection_curve, named=[("unsure", none_sure)]), "", "png")
    single = feature_map(FEATURES[:1])
    assert evaluation_figure(partial(draw_map, places=single, labels=CLASSES, predicted=CLASSES), "", "png")
    assert evaluation_figure(partial(draw_confusion, confusion=np.zeros((10, 10), int)), "", "png")


LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize("names", [("T-shirt/top", "_$hirt$", *map(str, range(8))), LETTERS])
def test_classes_are_named(names: tuple[str, ...]) -> None:
    """The confusion matrix and the feature map show any class names; many classes enlarge the matrix."""
    n = len(names)
    labels = np.arange(200) % n
    matrix = evaluation_figure(
        partial(draw_confusion, confusion=np.eye(n, dtype=np.int64), class_names=names), "", "svg"
    )
    on_map = partial(draw_map, places=feature_map(FEATURES), labels=labels, predicted=labels[::-1], class_names=names)
    matrix_names = {name for name in names if f"<!-- {name} -->" in matrix.decode()}
    assert matrix_names == {name for name in names if "$" not in name}
    assert evaluation_figure(on_map, "", "svg") != evaluation_figure(
        partial(on_map, class_names=names[::-1]), "", "svg"
    )
    width = float((ElementTree.fromstring(matrix).get("width") or "").removesuffix("pt"))
    assert width == pytest.approx(72 * (8 if n == 10 else 26 * 0.26 + 1.6), abs=1)


def test_figures_import_neither_qt_nor_pyplot() -> None:
    """Figures import neither Qt nor pyplot."""
    code = """
import sys
import digitpad.plotting.evaluation_plots, digitpad.plotting.figure_files
sys.exit(", ".join({"PySide6", "matplotlib.pyplot"} & sys.modules.keys()) or None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
