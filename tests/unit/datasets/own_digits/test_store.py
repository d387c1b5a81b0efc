import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.own_digits.records import CONFIRMATION, CORRECTION, OwnDigit
from digitpad.datasets.own_digits.store import DigitStore, own_digits_path, read_own_digits
from digitpad.errors import InkError
from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import Stroke, read_strokes
from digitpad.nn.losses import NONE
from tests.root import ROOT
from tests.unit.ink.drawings import DIGITS


def drawn(label: int, shape: int = 7, writer: str = "") -> OwnDigit:
    return OwnDigit(label, tuple(DIGITS[shape]), writer=writer, source=CORRECTION)


def labels(store: DigitStore) -> list[int]:
    return [digit.label for digit in store.digits]


def test_drawing_is_stored_with_all_its_data() -> None:
    """Another window reads the strokes, label, writer, time, source and earlier prediction of a drawing."""
    store = DigitStore()
    drawing = Drawing(tuple(Stroke(path) for path in DIGITS[4]))
    store.add([OwnDigit.from_drawing(drawing, 9, writer="Ada", source=CONFIRMATION, read_as=4)])
    (digit,) = DigitStore().digits
    (kept,) = store.digits
    assert (digit.label, digit.writer, digit.source, digit.read_as) == (9, "Ada", CONFIRMATION, 4)
    assert (digit.id, digit.time) == (kept.id, kept.time)
    assert digit.date is not None
    np.testing.assert_array_equal(digit.image, rasterize(DIGITS[4]))


def test_drawing_on_an_image_keeps_its_network_input() -> None:
    """A drawing with an image is read from its stored pixels."""
    image = np.random.default_rng(1).integers(0, 256, (28, 28)).astype(np.uint8)
    store = DigitStore()
    store.add([OwnDigit.from_drawing(Drawing.from_sample(image), 3)])
    np.testing.assert_array_equal(DigitStore().digits[0].image, image)


def test_changes_are_appended() -> None:
    """A new label or writer and a deletion append to the file, and change no earlier line."""
    store = DigitStore()
    store.add([drawn(1), drawn(2), drawn(3)])
    first, second, third = (digit.id for digit in store.digits)
    before = store.path.read_bytes()
    store.relabel([first], NONE)
    store.rename_writer([second], "Bo")
    store.delete([third])
    assert store.path.read_bytes().startswith(before)
    for window in (store, DigitStore()):
        assert [(digit.label, digit.writer) for digit in window.digits] == [(NONE, ""), (2, "Bo")]
        assert not window.digits[0].is_digit


def test_undo_and_redo() -> None:
    """Each undo reverts this window's last change, also in the file, and a new change clears redo."""
    store = DigitStore()
    store.add([drawn(1), drawn(2)])
    store.relabel([store.digits[0].id], 5)
    store.delete([digit.id for digit in store.digits])
    seen = []
    while store.undo():
        seen.append(labels(DigitStore()))
    assert seen == [[5, 2], [1, 2], []]
    assert store.redo()
    assert store.redo()
    assert labels(store) == labels(DigitStore()) == [5, 2]
    store.add([drawn(8)])
    assert not store.redo()
    assert labels(store) == [5, 2, 8]


def test_undo_leaves_the_changes_of_other_windows() -> None:
    """Undo reverts the window's own last change, even if another window made a later one."""
    first, second = DigitStore(), DigitStore()
    first.add([drawn(1)])
    change = second.add([drawn(2)])
    assert first.undo()
    second.refresh()
    assert labels(first) == labels(second) == [2]
    first.undo_change(change)
    assert labels(first) == []
    assert first.is_undone(change)


def test_refresh_reads_changes_of_other_windows() -> None:
    """`refresh` reads changes by other windows, and returns whether there were any."""
    first, second = DigitStore(), DigitStore()
    first.add([drawn(1)])
    assert labels(second) == []
    assert second.refresh()
    assert labels(second) == [1]
    assert not second.refresh()
    second.add([drawn(2)])
    first.add([drawn(3)])
    assert labels(first) == labels(DigitStore()) == [1, 2, 3]


def test_predict_can_read_the_file() -> None:
    """`predict` reads every line of the store as a line of a strokes file, including changes."""
    store = DigitStore()
    store.add([drawn(1), drawn(NONE)])
    store.delete([store.digits[0].id])
    lines = list(read_strokes(store.path))
    assert [(line.label, bool(line.paths)) for line in lines] == [(1, True), (None, True), (None, False)]


def test_plain_strokes_file_is_read(tmp_path: Path) -> None:
    """A strokes file without the store's own keys is read; drawings without a label are counted."""
    path = tmp_path / "strokes.jsonl"
    path.write_text('{"label": 7, "writer": 3, "strokes": [[[0, 0], [5, 9]]]}\n\n{"strokes": [[[0, 0]]]}\n', "utf-8")
    store = read_own_digits(path)
    assert [(digit.label, digit.writer, digit.time) for digit in store.digits] == [(7, "3", "")]
    assert (store.n_unlabelled, store.problems) == (1, ())


@pytest.mark.parametrize(
    "line",
    [
        b'{"label": 7, "strokes": [[[0,',
        b"\0\0\0\0\0",
        b"[" * 100_000,
        b'{"label": 12, "strokes": [[[0, 0]]]}',
        b'{"label": 1, "strokes": [[[0, NaN]]]}',
        b'{"label": 1, "strokes": [], "pixels": "AAAA"}',
        b'{"relabel": ["a"], "value": "x", "strokes": []}',
        b'{"delete": 3, "strokes": []}',
        b"7",
        b"\xff\xfe",
    ],
    ids=lambda line: repr(line[:20]),
)
def test_damaged_line_is_skipped_and_reported(line: bytes) -> None:
    """A damaged line is skipped without affecting others, and the problem states its number."""
    store = DigitStore()
    store.add([drawn(1)])
    with store.path.open("ab") as file:
        file.write(line + b"\n")
    store.add([drawn(2)])
    for window in (store, DigitStore()):
        assert labels(window) == [1, 2]
        (problem,) = window.problems
        assert problem.startswith("line 2 was skipped: it is damaged (")


def test_half_line_of_a_killed_process_is_reported() -> None:
    """A half line is reported, does not affect later drawings, and stays reported."""
    store = DigitStore()
    store.add([drawn(1), drawn(2)])
    content = store.path.read_bytes()
    store.path.write_bytes(content[:-20])
    window = DigitStore()
    assert labels(window) == [1]
    assert len(window.problems) == 1
    window.add([drawn(3)])
    for each in (window, DigitStore()):
        assert labels(each) == [1, 3]
        assert len(each.problems) == 1


def test_half_line_is_read_when_it_is_complete() -> None:
    """A half line that another window is writing is read when it is complete."""
    store, window = DigitStore(), DigitStore()
    store.add([drawn(1)])
    content = store.path.read_bytes()
    store.path.write_bytes(content[:-20])
    assert not window.refresh()
    with store.path.open("ab") as file:
        file.write(content[-20:])
    assert window.refresh()
    assert labels(window) == [1]
    assert window.problems == ()


def test_full_disk_keeps_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk, the drawing is kept in memory, no half line is left, and the next change writes it."""
    store = DigitStore()
    store.add([drawn(1)])
    before = store.path.read_bytes()
    write, left = os.write, [60]

    def write_a_little(descriptor: int, content: bytes) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        n = write(descriptor, content[: left[0]])
        left[0] -= n
        return n

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_a_little)
        with pytest.raises(InkError, match="No space left on device"):
            store.add([drawn(2)])
        assert store.path.read_bytes() == before
        assert store.has_unsaved
        assert labels(store) == [1, 2]
        assert labels(DigitStore()) == [1]
        first = len(store.path.read_bytes())
        left[0] = len(before) * 3 // 2  # one of two lines
        with pytest.raises(InkError):
            store.add([drawn(3)])
        assert len(store.path.read_bytes()) > first
        assert labels(DigitStore()) == [1, 2]
        assert labels(store) == [1, 2, 3]
    store.add([drawn(4)])
    assert not store.has_unsaved
    assert labels(store) == labels(DigitStore()) == [1, 2, 3, 4]


def test_file_is_opened_in_binary_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """If `os.open` has a text mode, as on Windows, the file is opened in binary mode, so that line ends stay."""
    flags: list[int] = []
    os_open = os.open

    def note(file: Path, mode: int, permissions: int = 0o777) -> int:
        flags.append(mode)
        return os_open(file, mode & ~0x8000000, permissions)

    store = DigitStore()
    monkeypatch.setattr(os, "O_BINARY", 0x8000000, raising=False)
    monkeypatch.setattr(os, "open", note)
    store.add([drawn(7)])
    assert [bool(mode & 0x8000000) for mode in flags if mode & os.O_APPEND] == [True]


def test_unwritable_folder_is_reported(tmp_path: Path) -> None:
    """The error for a file in place of the folder names it, and the drawing is kept."""
    (tmp_path / "file").touch()
    store = DigitStore(tmp_path / "new" / "digits.jsonl")
    (tmp_path / "new").symlink_to(tmp_path / "file")
    with pytest.raises(Exception, match="new"):
        store.add([drawn(1)])
    assert labels(store) == [1]


def test_replaced_file_is_read_again() -> None:
    """A file that was replaced, for example from a backup, is read again."""
    store = DigitStore()
    store.add([drawn(1)])
    backup = store.path.read_bytes()
    store.add([drawn(2), drawn(3)])
    store.path.write_bytes(backup)
    assert DigitStore(store.path).digits[0].label == 1
    store.refresh()
    assert labels(store) == [1]


def _add_many(path: str, n: int, label: int) -> None:
    store = DigitStore(Path(path))
    for _ in range(n):
        store.add([drawn(label)])


def test_processes_append_at_the_same_time(tmp_path: Path) -> None:
    """Two processes that append at the same time lose no drawing, and every line is complete."""
    path = tmp_path / "own" / "digits.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_many, args=(str(path), 25, label)) for label in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    store = DigitStore(path)
    assert store.problems == ()
    assert sorted(labels(store)) == [1] * 25 + [2] * 25
    assert len({digit.id for digit in store.digits}) == 50


WRITER = """
import sys
from pathlib import Path
from digitpad.datasets.own_digits.store import DigitStore
from tests.unit.datasets.own_digits.test_store import drawn
store = DigitStore(Path(sys.argv[1]))
for number in range(10_000):
    store.add([drawn(number % 10)])
    print(number + 1, flush=True)
"""


def test_kill_loses_no_saved_drawing(tmp_path: Path) -> None:
    """After kills at random moments, every drawing whose `add` returned is in the file."""
    path = tmp_path / "digits.jsonl"
    rng, n_saved = random.Random(1), 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        rest, _ = process.communicate(timeout=30)
        n_saved += max([1, *map(int, rest.split())])
        store = DigitStore(path)
        assert n_saved <= len(store.digits) <= n_saved + 1
        n_saved = len(store.digits)
    for line in path.read_bytes().splitlines():
        assert not line or len(store.problems) or json.loads(line)


def test_default_file_is_in_the_users_folder() -> None:
    """The default file is in the user's folder, and is created by the first change."""
    store = DigitStore()
    assert not own_digits_path().exists()
    store.add([drawn(1)])
    assert store.path == own_digits_path()
    assert own_digits_path().exists()


def test_file_without_labels_is_refused(tmp_path: Path) -> None:
    """For a missing file, or a file without a labelled drawing, the error names the file."""
    with pytest.raises(InkError, match="does not exist"):
        read_own_digits(tmp_path / "none.jsonl")
    path = tmp_path / "strokes.jsonl"
    path.write_text('{"strokes": [[[0, 0], [5, 9]]]}\n', "utf-8")
    with pytest.raises(InkError, match="no drawing with a label"):
        read_own_digits(path)
