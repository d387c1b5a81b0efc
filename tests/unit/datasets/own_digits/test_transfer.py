from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.dataset import load_path
from digitpad.datasets.own_digits.records import IMPORT, OwnDigit
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.datasets.own_digits.transfer import (
    NOT_A_DIGIT,
    export_csv,
    export_images,
    export_strokes,
    import_images,
    import_strokes,
)
from digitpad.errors import DataError, InkError
from digitpad.ink.strokes import LabelledStrokes, write_strokes
from digitpad.nn.losses import NONE
from tests.unit.ink.drawings import DIGITS


@pytest.fixture
def store() -> DigitStore:
    """Return a store with six drawings of each of four digits, by two writers, and a non-digit."""
    store = DigitStore()
    shapes = [(label, [path * (1 + k / 50) for path in paths]) for label, paths in DIGITS.items() for k in range(6)]
    store.add(
        OwnDigit(label, tuple(path + np.array([k, 0]) for path in paths), writer=f"Writer {k % 2}")
        for k, (label, paths) in enumerate(shapes)
    )
    store.add([OwnDigit(NONE, (np.array([[0.0, 0], [9, 9]]),), writer="Writer 0")])
    return store


def test_strokes_round_trip(store: DigitStore, tmp_path: Path) -> None:
    """Exported strokes have no deleted drawings, keep all data when imported, and are imported only once."""
    store.delete([store.digits[0].id])
    export_strokes(store.digits, tmp_path / "out.jsonl")
    imported = import_strokes(tmp_path / "out.jsonl")
    assert [(each.id, each.label, each.writer, each.time) for each in imported] == [
        (each.id, each.label, each.writer, each.time) for each in store.digits
    ]
    n = len(store.digits)
    store.add(imported)
    assert len(store.digits) == len(DigitStore().digits) == n


def test_plain_strokes_are_imported_once(tmp_path: Path) -> None:
    """Drawings without identifiers get reproducible ones; the given writer is used if the file names none."""
    path = tmp_path / "strokes.jsonl"
    write_strokes(path, [LabelledStrokes(DIGITS[7], 7), LabelledStrokes(DIGITS[4], 4), LabelledStrokes(DIGITS[2])])
    store = DigitStore()
    for _ in range(2):
        store.add(import_strokes(path, writer="Cy"))
    assert [(each.label, each.writer, each.source) for each in store.digits] == [(7, "Cy", IMPORT), (4, "Cy", IMPORT)]


def test_images_round_trip(store: DigitStore, tmp_path: Path) -> None:
    """Imported images have the exported pixels and labels; non-digits have their own folder."""
    assert export_images(store.digits, tmp_path / "out") == len(store.digits)
    assert {folder.name for folder in (tmp_path / "out").iterdir()} == {"0", "2", "4", "7", NOT_A_DIGIT}
    imported = import_images(tmp_path / "out", writer="Di")
    assert {each.writer for each in imported} == {"Di"}

    def contents(drawings: list[OwnDigit]) -> list[tuple[int, bytes]]:
        return sorted((each.label, each.image.tobytes()) for each in drawings)

    assert contents(imported) == contents(list(store.digits))


def test_csv_is_a_dataset(store: DigitStore, tmp_path: Path) -> None:
    """The exported CSV can be opened as a dataset, without the non-digit."""
    assert export_csv(store.digits, tmp_path / "out.csv") == 24
    dataset = load_path(tmp_path / "out.csv")
    assert dataset.class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    assert sum(len(part) for part in (dataset.training, dataset.validation, dataset.test)) == 24


def test_folder_of_other_classes_is_refused(store: DigitStore, tmp_path: Path) -> None:
    """A folder of letters is not imported."""
    export_images(store.digits, tmp_path / "out")
    (tmp_path / "out" / "7").rename(tmp_path / "out" / "seven")
    with pytest.raises(DataError, match="'seven'; expected folders 0 to 9"):
        import_images(tmp_path / "out")


def test_export_to_a_missing_folder_fails(store: DigitStore, tmp_path: Path) -> None:
    """If an export cannot be written, the error names the file."""
    with pytest.raises(InkError, match="cannot be written"):
        export_strokes(store.digits, tmp_path / "missing" / "out.jsonl")
