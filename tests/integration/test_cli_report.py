"""``digitpad evaluate --report``."""

from pathlib import Path

import pytest

from digitpad.cli import main
from digitpad.datasets.dataset import mnist
from tests.integration.test_cli import one_error
from tests.unit.datasets.idx_files import write_folder


def test_evaluate_saves_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One HTML file with the accuracy that is printed; another suffix is refused before any work."""
    data = write_folder(tmp_path, mnist().training[:100], mnist().test[:100])
    path = tmp_path / "report.html"
    assert main(["evaluate", "--data", str(data), "--report", str(path)]) == 0
    out, err = capsys.readouterr()
    assert f"saved {path}" in err
    html = path.read_text("utf-8")
    assert "<h1>Evaluation of digits.npz</h1>" in html
    assert f"<td>{out.partition('accuracy ')[2].partition('%')[0]}\N{NO-BREAK SPACE}%</td>" in html
    assert main(["evaluate", "--report", str(tmp_path / "report.txt")]) == 1
    assert "a report must end in .html" in one_error(capsys)
