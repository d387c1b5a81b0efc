import re
from pathlib import Path

import pytest

from digitpad.teaching.lesson import LESSONS, TOUR, Check, lesson_files, load_lesson, recipe_of
from digitpad.teaching.markdown_file import TeachingError
from tests.readability import plain_text, reading_ease

GOOD = """---
title: Mine
minutes: 3
---
About it.

## Draw a seven
tab: Draw
point: pad
check: read as 7

Draw a seven.

## Train
recipe: quick
set: training.epochs = 3
set: network.hidden = [8, 8]
choose: part = Validation

Train it.

## Question
Why?

### Answer
Because.
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_lesson_is_read_whole(tmp_path: Path) -> None:
    """Header, introduction, steps with their lines, question and answer."""
    lesson = load_lesson(write(tmp_path, GOOD))
    assert (lesson.title, lesson.minutes, lesson.introduction) == ("Mine", 3, "About it.")
    first, second = lesson.steps
    assert (first.tab, first.points_at, first.check, first.text) == (
        "Draw",
        "pad",
        Check("read as", "", "7"),
        "Draw a seven.",
    )
    recipe = recipe_of(second)
    assert recipe is not None
    assert (recipe.training.epochs, recipe.network.hidden) == (3, (8, 8))
    assert second.choices == (("part", "Validation"),)
    assert second.check is None
    assert (lesson.question, lesson.answer) == ("Why?", "Because.")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: Mine", "name: Mine", "line 1: expected a header with “title: …”"),
        ("minutes: 3", "minutes: soon", "line 3: minutes: expected 1 to 600, found “soon”"),
        (
            "tab: Draw",
            "tab: Paint",
            "line 8: tab: expected Draw, Train, Evaluate, Inside, My digits, Runs",
        ),
        ("point: pad", "look: pad", "line 9: expected tab, point, recipe"),
        ("point: pad", "point", "line 9: expected “key: value”"),
        ("point: pad", "point: the pad", "line 9: point: expected the name of a widget, found “the pad”"),
        ("check: read as 7", "check: reads 7", "line 10: check: “reads 7” is not known"),
        ("recipe: quick", "recipe: slow", "line 15: recipe: expected"),
        ("training.epochs = 3", "training.epochs", "line 16: set: expected “name = value”"),
        ("training.epochs = 3", "training.epoch = 3", "line 14: set: training.epoch: is not a setting"),
        ("training.epochs = 3", "training.epochs = 0", "line 14: set: training.epochs"),
        ("### Answer\nBecause.\n", "", "line 22: expected a question, a line “### Answer”, and the answer"),
        ("\nDraw a seven.\n", "", "line 7: the step has no text"),
    ],
)
def test_an_error_names_the_file_and_the_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """So that a teacher finds it."""
    assert old in GOOD
    with pytest.raises(TeachingError, match=re.escape(f"mine.md: {problem}")):
        load_lesson(write(tmp_path, GOOD.replace(old, new)))


def test_lessons_of_the_user_come_after_the_built_in_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in the folder `lessons` of the data folder."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path))
    (tmp_path / "lessons").mkdir()
    own = write(tmp_path / "lessons", GOOD)
    files = lesson_files()
    assert files[-1] == own
    assert [path.name[0] for path in files[:-1]] == list("12345678")


def test_the_example_in_the_help_is_a_lesson(tmp_path: Path) -> None:
    """And each check that the help lists is known."""
    text = (LESSONS.parent / "help" / "lessons.md").read_text("utf-8")
    example = "\n".join(line[4:] for line in text.split("whole lesson:\n\n")[1].splitlines() if line[:4] == "    ")
    example = re.sub(r"(?m)^(?=## |### |Draw a|Why is|Many|What the)", "\n", example)
    lesson = load_lesson(write(tmp_path, example))
    assert lesson.title == "My first lesson"
    checks = re.findall(r"^\| `([^`]+)` \|", text.split("These checks are known:")[1], re.MULTILINE)
    assert len(checks) == 16
    for check in checks:
        load_lesson(write(tmp_path, GOOD.replace("read as 7", check)))


def test_lessons_are_short_and_plain() -> None:
    """Eight lessons of 3 to 8 minutes, each with a question; the tour has four steps."""
    eases = {}
    for path in lesson_files():
        lesson = load_lesson(path)
        assert 3 <= lesson.minutes <= 8
        assert lesson.question
        assert lesson.introduction
        parts = [lesson.introduction, *(step.text for step in lesson.steps), lesson.question, lesson.answer]
        eases[path.stem] = round(reading_ease(plain_text("\n\n".join(parts))))
    print(eases)  # noqa: T201
    assert {name: ease for name, ease in eases.items() if ease < 60} == {}
    assert len(load_lesson(TOUR).steps) == 4
