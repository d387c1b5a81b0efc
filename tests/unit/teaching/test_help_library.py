from pathlib import Path

import pytest

from digitpad.errors import FileError
from digitpad.gui.widgets.setting_labels import SETTING_LABELS
from digitpad.teaching.help_library import HelpLibrary, load_term, resolve
from digitpad.teaching.markdown_file import TeachingError, read_markdown


def test_no_link_is_dead() -> None:
    """Each link of each page and each term leads to a page."""
    pages = HelpLibrary().pages
    dead = [(name, link) for name, page in pages.items() for link in page.links if link not in pages]
    assert dead == []
    assert len(pages) > 60
    assert all(page.title and len(page.text) > 100 for page in pages.values())


def test_every_page_is_in_the_contents() -> None:
    """A page that no reader could find is a mistake."""
    library = HelpLibrary()
    files = {path.name for path in Path(library._folder).glob("*.md")}
    assert files == {page.name for page in library.contents} | {"contents.md"}


def test_every_setting_has_a_term() -> None:
    """The label of each setting is explained by exactly one term."""
    labels = [label for term in HelpLibrary().terms for label in term.labels]
    assert sorted(set(SETTING_LABELS.values()) - set(labels)) == []
    assert len(labels) == len(set(labels))


def test_search_finds_words_anywhere_and_titles_first() -> None:
    """All words must be there; a page about the words comes before one that mentions them."""
    library = HelpLibrary()
    assert library.search("Learning RATE")[0].name == "terms/learning-rate.md"
    assert {page.name for page in library.search("mnist.pkl.gz")} == {"datasets.md"}
    assert library.search("xyzzy") == []
    assert library.search(" ") == library.contents


def test_links_are_resolved_from_their_page() -> None:
    """As in a folder of files."""
    assert resolve("terms/loss.md", "../how-the-network-works.md#loss") == "how-the-network-works.md"
    assert resolve("terms/loss.md", "softmax.md") == "terms/softmax.md"
    assert resolve("draw.md", "terms/loss.md") == "terms/loss.md"


def test_a_term_without_its_parts_is_refused(tmp_path: Path) -> None:
    """The error names the file and the line."""
    path = tmp_path / "odd.md"
    path.write_text("---\nlabels: Odd\n---\n# Odd\n\nNo more.\n", encoding="utf-8")
    with pytest.raises(TeachingError, match=r"odd\.md: line 4: expected “# Title”"):
        load_term(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("---\ntitle One\n---\n", "line 2: expected “key: value”, found “title One”"),
        ("---\ntitle: One\n", "line 1: the header that starts here has no closing ---"),
    ],
)
def test_a_broken_header_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """The error names the file and the line."""
    path = tmp_path / "broken.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TeachingError, match=rf"broken\.md: {problem}"):
        read_markdown(path)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """Binary files, huge files and missing files."""
    path = tmp_path / "odd.md"
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_markdown(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="is not UTF-8 text"):
        read_markdown(path)
    path.write_bytes(b"a" * 300_000)
    with pytest.raises(FileError, match="is larger than 200 kB"):
        read_markdown(path)
