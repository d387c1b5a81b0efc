import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from digitpad.cli import main
from digitpad.datasets.dataset import Digits, mnist
from digitpad.datasets.download.fetch import sets_folder
from digitpad.datasets.download.sources import SOURCES
from tests.unit.datasets.idx_files import random_digits
from tests.unit.datasets.local_server import Server, serving, source_of
from tests.unit.datasets.set_files import write_images


def test_show_counts_each_class(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The counts are printed as a table or as JSON; notes on the dataset go to standard error."""
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
    assert "There is no test set" in err
    assert main(["data", "show", str(tmp_path / "pets"), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["name"], found["classes"], found["training"]) == ("pets", ["cat", "dog"], 50)
    assert found["counts"] == {"training": [25, 25], "validation": [5, 5], "test": [5, 5]}
    assert len(found["notes"]) == 1
    assert err == ""


def test_skipped_image_gives_exit_status_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An unreadable image is skipped and counted; the command does its work, and exits with 1."""
    folder = write_images(tmp_path / "own", mnist().training[:40])
    (folder / "3" / "photo.heic").write_bytes(b"unreadable")
    assert main(["data", "show", str(folder), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["training"] + found["validation"] + found["test"] == 40
    assert len(found["skipped"]) == 1
    assert main(["evaluate", "--data", str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "on 40 digits of own" in out  # such a small dataset is scored as a whole
    assert "1 image was skipped, as it could not be read:" in err
    assert "photo.heic: is not an image" in err


def test_a_part_can_be_chosen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``--part all`` scores all images of a dataset, and ``--part test`` only its test set."""
    folder = write_images(tmp_path / "own", mnist().training[:140])
    for arguments, n in ((["--part", "all"], 140), (["--part", "test"], 19), ([], 19)):
        assert main(["evaluate", "--data", str(folder), "--json", *arguments]) == 0
        assert json.loads(capsys.readouterr().out)["n"] == n


def test_too_small_training_set_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Training on a single image per class is refused with the reason; there is no validation set to score."""
    for digit in range(10):
        write_images(tmp_path / "own", one_digit(digit))
    assert main(["train", "--data", str(tmp_path / "own")]) == 1
    assert "has only one image of 0, 1, 2, 3, …, and needs at least 2 of each class" in capsys.readouterr().err
    assert main(["evaluate", "--data", str(tmp_path / "own"), "--part", "validation"]) == 1
    assert "own: has no validation set; use --part test or --part all" in capsys.readouterr().err


def one_digit(digit: int) -> Digits:
    row = int(np.argmax(mnist().training.labels == digit))
    return mnist().training[row : row + 1]


def test_show_describes_the_built_in_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name, the built-in dataset is shown."""
    assert main(["data", "show", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["training"], found["validation"], found["test"]) == ("MNIST", 50_000, 10_000, 10_000)


def test_show_reports_errors_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An error is one line."""
    assert main(["data", "show", str(tmp_path / "nowhere")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"digitpad: {tmp_path / 'nowhere'}: does not exist; expected")
    assert err.count("\n") == 1


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a local server in place of the one that publishes Fashion-MNIST."""
    with serving(tmp_path / "published") as running:
        monkeypatch.setitem(SOURCES, "fashion-mnist", source_of(running, running.url))
        yield running


def test_downloaded_dataset_can_be_used_by_name(
    capsys: pytest.CaptureFixture[str], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is printed, and the name can then be used; a file of the same name takes precedence."""
    monkeypatch.chdir(tmp_path)
    assert main(["data", "show", "fashion-mnist"]) == 1
    capsys.readouterr()
    assert main(["data", "get", "fashion-mnist"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{sets_folder() / 'fashion-mnist'}\n"
    assert "use it with --data fashion-mnist" in err
    assert main(["data", "show", "fashion-mnist", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"][1] == "Trouser"
    assert main(["data", "get", "fashion-mnist", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sets"] == ["fashion-mnist"]
    (tmp_path / "fashion-mnist").mkdir()
    assert main(["data", "show", "fashion-mnist"]) == 1


def test_get_without_a_name_lists_the_datasets(capsys: pytest.CaptureFixture[str], server: Server) -> None:
    """The list has sizes and licences, and the datasets that are already downloaded."""
    assert main(["data", "get"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["fashion-mnist", "kmnist", "qmnist", "emnist"]
    assert "562 MB" in out
    assert err == ""
    main(["data", "get", "fashion-mnist"])
    capsys.readouterr()
    assert main(["data", "get", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["downloaded"]) == ["fashion-mnist"]


@pytest.mark.parametrize(("name", "message"), [("mnist", "there is no dataset 'mnist'"), ("fashion-mnist", "404")])
def test_get_reports_errors_in_one_line(
    capsys: pytest.CaptureFixture[str], server: Server, name: str, message: str
) -> None:
    """An error is one line, and nothing is left on disk."""
    server.files.clear()
    assert main(["data", "get", name]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not (sets_folder() / name).exists()
