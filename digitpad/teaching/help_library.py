"""The help: pages, and one page for each term, from Markdown files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from digitpad import assets
from digitpad.teaching.markdown_file import MarkdownFile, TeachingError, read_markdown

HELP = assets.RESOURCES / "help"
TERMS = "terms"
CONTENTS, GLOSSARY = "contents.md", "glossary.md"

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_MORE = "## More"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Page:
    """A page of the help.

    Attributes
    ----------
    name : str
        Its path within the help folder, such as ``terms/loss.md``.
    title, text : str
        Its text is Markdown.
    """

    name: str
    title: str
    text: str

    @property
    def links(self) -> list[str]:
        """Names of the pages that the page links to."""
        return [resolve(self.name, target) for _, target in _LINK.findall(self.text) if ":" not in target]


@dataclass(frozen=True)
class Term:
    """A term of the field or of the window.

    Attributes
    ----------
    name : str
        Its file without the suffix, such as ``learning-rate``.
    title : str
    labels : tuple of str
        Labels in the window that the term explains.
    card : str
        Explanation of at most 60 words, as plain text.
    more : str
        Further Markdown.
    picture : str
        Name of the picture on the card.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    card: str
    more: str
    picture: str

    @property
    def page_name(self) -> str:
        """Name of the page of the term."""
        return f"{TERMS}/{self.name}.md"

    @property
    def page(self) -> Page:
        """Page of the help for the term."""
        picture = f"![{self.title}](picture:{self.picture})\n\n" if self.picture else ""
        return Page(self.page_name, self.title, f"# {self.title}\n\n{self.card}\n\n{picture}{self.more}\n")


def resolve(page: str, target: str) -> str:
    """Return the name of the page that a link on a page leads to."""
    parts = page.split("/")[:-1]
    for part in target.partition("#")[0].split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def load_term(path: Path) -> Term:
    """Load a term.

    Raises
    ------
    FileError
        If the file cannot be read, or lacks its title, card or part ``## More``.
    """
    file = read_markdown(path)
    before, found, more = file.text.partition(f"\n{_MORE}\n")
    title, card = file.title, before.partition("\n")[2].strip()
    if not title or not card or not found:
        raise TeachingError(path, file.first_line, f"expected “# Title”, a text, and “{_MORE}”")
    return Term(
        path.stem, title, _listed(file, "labels"), " ".join(card.split()), more.strip(), _value(file, "picture")
    )


def find_term(name: str) -> Term:
    """Load a term by its name, without reading the rest of the help.

    Raises
    ------
    FileError
        If there is no such term.
    """
    return load_term(HELP / TERMS / f"{name}.md")


class HelpLibrary:
    """All pages of a help folder, read when they are first wanted."""

    def __init__(self, folder: Path = HELP) -> None:
        self._folder = folder

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All terms, by title."""
        terms = map(load_term, (self._folder / TERMS).glob("*.md"))
        return tuple(sorted(terms, key=lambda term: term.title.casefold()))

    @cached_property
    def pages(self) -> dict[str, Page]:
        """All pages by name: those of the contents in their order, then the terms."""
        names = [CONTENTS, *self._read(CONTENTS).links]
        pages = {name: self._read(name) for name in names}
        glossary = pages[GLOSSARY]
        entries = "\n".join(f"- [{term.title}]({term.page_name})" for term in self.terms)
        pages[GLOSSARY] = Page(GLOSSARY, glossary.title, f"{glossary.text}\n\n{entries}\n")
        return pages | {term.page_name: term.page for term in self.terms}

    @property
    def contents(self) -> list[Page]:
        """The pages of the contents, in their order, without the terms."""
        return [page for name, page in self.pages.items() if name != CONTENTS and not name.startswith(f"{TERMS}/")]

    def search(self, text: str) -> list[Page]:
        """Return the pages with all words of a text, those with a word in the title first."""
        words = [word.casefold() for word in _WORD.findall(text)]
        if not words:
            return self.contents
        found = [
            (sum(word in page.title.casefold() for word in words), page)
            for page in self.pages.values()
            if page.name != CONTENTS and _has_all(words, page)
        ]
        return [page for _, page in sorted(found, key=lambda hit: -hit[0])]

    def _read(self, name: str) -> Page:
        file = read_markdown(self._folder / name)
        return Page(name, file.title, file.text)


def _has_all(words: Iterable[str], page: Page) -> bool:
    text = page.text.casefold()
    return all(word in text for word in words)


def _value(file: MarkdownFile, key: str) -> str:
    entry = file.header.get(key)
    return "" if entry is None else entry.value


def _listed(file: MarkdownFile, key: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _value(file, key).split(";") if part.strip())
