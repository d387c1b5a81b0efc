import pytest

from digitpad.teaching.help_library import HelpLibrary
from tests.readability import plain_text, reading_ease, syllables

EASE = 60
"""Plain English: a pupil of 13 to 15 reads it without effort."""

MAX_WORDS = 60
TECHNICAL = {"command-line.md", "tuning.md", "recipes.md", "speed.md", "keyboard.md", "datasets.md", "glossary.md"}
"""Pages for people who use the command line or write files, and the list of terms."""


@pytest.mark.parametrize(
    ("word", "n"),
    [("rate", 1), ("little", 2), ("trained", 1), ("started", 2), ("classes", 2), ("rates", 1), ("network", 2)],
)
def test_syllables_are_counted(word: str, n: int) -> None:
    """Silent endings count as none."""
    assert syllables(word) == n


def test_plain_sentences_are_easier_than_long_words() -> None:
    """The two texts differ by the words in a sentence, and by the syllables in a word."""
    easy = "The cat sat on the mat. It was warm."
    assert reading_ease(easy) == pytest.approx(206.835 - 1.015 * 4.5 - 84.6, abs=0.01)
    assert reading_ease("Regularisation necessitates consideration of generalisation.") < 0


def test_marks_and_code_are_not_prose() -> None:
    """Only what is read as sentences counts."""
    assert plain_text("# Head\n\nSee [the *loss*](loss.md) `x = 1`.\n\n    code here\n").split() == [
        "See",
        "the",
        "loss",
        ".",
    ]


def test_cards_are_short_and_plain() -> None:
    """Each card has at most 60 words; all of them together, and each alone, are plain English."""
    terms = HelpLibrary().terms
    assert [term.name for term in terms if len(term.card.split()) > MAX_WORDS] == []
    eases = {term.name: reading_ease(term.card) for term in terms}
    print(f"cards: {min(eases.values()):.0f} to {max(eases.values()):.0f}")  # noqa: T201
    assert {name: round(ease) for name, ease in eases.items() if ease < EASE} == {}


def test_pages_are_plain() -> None:
    """The pages for pupils and teachers are plain English."""
    pages = {page.name: page for page in HelpLibrary().contents if page.name not in TECHNICAL}
    eases = {name: reading_ease(plain_text(page.text)) for name, page in pages.items()}
    print({name: round(ease) for name, ease in eases.items()})  # noqa: T201
    assert {name: round(ease) for name, ease in eases.items() if ease < EASE} == {}
