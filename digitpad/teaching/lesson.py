"""Lessons: guided experiments, each a Markdown file with a header, steps and a question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from digitpad import assets
from digitpad.errors import RecipeError
from digitpad.system import user_folders
from digitpad.teaching.markdown_file import Entry, MarkdownFile, TeachingError, parse_entry, read_markdown
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import DEFAULT, all_recipes
from digitpad.training.setting_values import toml_value

LESSONS = assets.RESOURCES / "lessons"
TOUR = LESSONS / "first-steps.md"

TABS = ("Draw", "Train", "Evaluate", "Inside", "My digits", "Runs")
NETWORKS = ("built-in", "trained")

_ANSWER = "### Answer"
_QUESTION = "Question"
_MAX_STEPS = 50

_PATTERNS = {
    "drawn": r"drawn",
    "cleared": r"cleared",
    "read as": r"read as (?P<value>.+)",
    "not sure": r"not sure",
    "tab": rf"tab (?P<value>{'|'.join(TABS)})",
    "setting": r"setting (?P<name>[\w.]+) *= *(?P<value>.+)",
    "trained": r"trained",
    "trained to": r"trained to (?P<value>\d+(?:\.\d+)?) *%",
    "runs": r"(?P<value>\d+) runs?",
    "in use": r"in use",
    "evaluated": r"evaluated",
    "shown": r"shown (?P<name>\w+)",
    "pressed": r"pressed (?P<name>\w+)",
    "chosen": r"chosen (?P<name>\w+) *= *(?P<value>.+)",
    "unit chosen": r"unit chosen",
    "corrected": r"corrected",
}


@dataclass(frozen=True)
class Check:
    """What a step waits for.

    Attributes
    ----------
    kind : str
        A key of the table of checks in ``resources/help/lessons.md``.
    name, value : str
        Its parts, or empty strings.
    """

    kind: str
    name: str = ""
    value: str = ""


@dataclass(frozen=True)
class Step:
    """A step of a lesson.

    Attributes
    ----------
    title, text : str
        The text is Markdown.
    tab : str
        Tab to show, or an empty string.
    points_at : str
        Object name of the widget to point at, or an empty string.
    recipe : str
        Recipe for the Train tab, or an empty string.
    settings : dict of str to object
        Changes of its settings, by dotted key.
    choices : tuple of (str, str)
        Widgets and the item to choose in each, or ``on`` to press a button.
    digit : int or None
        Digit to put on the pad.
    network : str
        Network to use, or an empty string.
    check : Check or None
        None if there is nothing to wait for.
    """

    title: str
    text: str
    tab: str = ""
    points_at: str = ""
    recipe: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    digit: int | None = None
    network: str = ""
    check: Check | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Attributes
    ----------
    path : Path
    title : str
    minutes : int
        About how long it takes; 0 if the file does not say.
    introduction : str
        Markdown before the first step.
    steps : tuple of Step
    question, answer : str
        Markdown; empty if there is none.
    """

    path: Path
    title: str
    minutes: int
    introduction: str
    steps: tuple[Step, ...]
    question: str = ""
    answer: str = ""


@dataclass(frozen=True)
class _Section:
    title: str
    line: int
    lines: tuple[str, ...]


def load_lesson(path: Path) -> Lesson:
    """Load a lesson.

    Raises
    ------
    TeachingError
        If a line is wrong; the error names it.
    FileError
        If the file cannot be read.
    """
    file = read_markdown(path)
    sections = _sections(file)
    introduction, parts = sections[0], sections[1:]
    title = file.header.get("title")
    if title is None or not title.value:
        raise TeachingError(path, 1, "expected a header with “title: …” between two lines ---")
    question = answer = ""
    if parts and parts[-1].title == _QUESTION:
        question, answer = _question(path, parts[-1])
        parts = parts[:-1]
    if not parts:
        raise TeachingError(path, file.first_line, "expected a step: a line “## Title”, and its text")
    if len(parts) > _MAX_STEPS:
        raise TeachingError(path, parts[_MAX_STEPS].line, f"a lesson has at most {_MAX_STEPS} steps")
    steps = tuple(_step(path, part) for part in parts)
    return Lesson(
        path, title.value, _minutes(path, file), "\n".join(introduction.lines).strip(), steps, question, answer
    )


def lesson_files() -> list[Path]:
    """Return the built-in lessons in their order, then those in the user's folder."""
    own = user_folders.user_data_path() / "lessons"
    return [*sorted(LESSONS.glob("[0-9]*.md")), *sorted(own.glob("*.md"))]


def _sections(file: MarkdownFile) -> list[_Section]:
    """Return the text before the first heading of level 2, and the part under each of these headings."""
    starts = [i for i, line in enumerate(file.lines) if line.startswith("## ")]
    ends = [*starts[1:], len(file.lines)]
    sections = [_Section("", file.first_line, file.lines[: starts[0] if starts else None])]
    for start, end in zip(starts, ends, strict=True):
        title = file.lines[start][3:].strip()
        sections.append(_Section(title, file.first_line + start, file.lines[start + 1 : end]))
    return sections


def _minutes(path: Path, file: MarkdownFile) -> int:
    entry = file.header.get("minutes")
    if entry is None:
        return 0
    if not entry.value.isdecimal() or not 1 <= int(entry.value) <= 600:
        raise TeachingError(path, entry.line, f"minutes: expected 1 to 600, found “{entry.value}”")
    return int(entry.value)


def _question(path: Path, section: _Section) -> tuple[str, str]:
    question, found, answer = "\n".join(section.lines).partition(f"{_ANSWER}\n")
    if not found or not question.strip() or not answer.strip():
        raise TeachingError(path, section.line, f"expected a question, a line “{_ANSWER}”, and the answer")
    return question.strip(), answer.strip()


def _step(path: Path, section: _Section) -> Step:
    """Parse the lines ``key: value`` right below the heading, up to an empty line, and the text after it."""
    step = Step(section.title, "")
    place = 0
    for place, line in enumerate(section.lines):
        if not line.strip():
            break
        step = _with_entry(path, step, parse_entry(path, line, section.line + 1 + place))
    text = "\n".join(section.lines[place:]).strip()
    if not text:
        raise TeachingError(path, section.line, "the step has no text; leave an empty line before it")
    _check_recipe(path, section, step)
    return replace(step, text=text)


def _with_entry(path: Path, step: Step, entry: Entry) -> Step:
    key, value = entry.key, entry.value
    match key:
        case "tab":
            return replace(step, tab=_one_of(path, entry, TABS))
        case "point":
            return replace(step, points_at=_word(path, entry, value))
        case "recipe":
            return replace(step, recipe=_one_of(path, entry, tuple(all_recipes().by_name)))
        case "set":
            name, setting = _assignment(path, entry)
            return replace(step, settings=(*step.settings, (name, toml_value(setting))))
        case "choose":
            name, item = _assignment(path, entry)
            return replace(step, choices=(*step.choices, (_word(path, entry, name), item)))
        case "draw":
            if value not in set("0123456789"):
                raise TeachingError(path, entry.line, f"draw: expected a digit, found “{value}”")
            return replace(step, digit=int(value))
        case "network":
            return replace(step, network=_one_of(path, entry, NETWORKS))
        case "check":
            return replace(step, check=_check(path, entry))
    known = "tab, point, recipe, set, choose, draw, network or check"
    raise TeachingError(path, entry.line, f"expected {known}, found “{key}”")


def _check(path: Path, entry: Entry) -> Check:
    for kind, pattern in _PATTERNS.items():
        if match := re.fullmatch(pattern, entry.value):
            parts = match.groupdict()
            return Check(kind, parts.get("name", ""), parts.get("value", ""))
    raise TeachingError(path, entry.line, f"check: “{entry.value}” is not known; Help › Lessons lists all checks")


def _check_recipe(path: Path, section: _Section, step: Step) -> None:
    if step.settings:
        try:
            recipe_of(step)
        except RecipeError as error:
            raise TeachingError(path, section.line, f"set: {error}") from error


def recipe_of(step: Step) -> Recipe | None:
    """Return the recipe of a step with its settings; None if the step does not change the Train tab.

    Raises
    ------
    RecipeError
        If a setting is unknown or its value is invalid.
    """
    if not step.recipe and not step.settings:
        return None
    return all_recipes().by_name[step.recipe or DEFAULT].with_values(dict(step.settings))


def _one_of(path: Path, entry: Entry, choices: Sequence[str]) -> str:
    if entry.value not in choices:
        raise TeachingError(path, entry.line, f"{entry.key}: expected {', '.join(choices)}; found “{entry.value[:40]}”")
    return entry.value


def _word(path: Path, entry: Entry, name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise TeachingError(path, entry.line, f"{entry.key}: expected the name of a widget, found “{name[:40]}”")
    return name


def _assignment(path: Path, entry: Entry) -> tuple[str, str]:
    name, equals, value = entry.value.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise TeachingError(path, entry.line, f"{entry.key}: expected “name = value”, found “{entry.value[:40]}”")
    return name.strip(), value.strip()
