"""Reading ease of English text (Flesch, 1948): 60 to 70 is plain English, 90 is easy for a child of ten."""

import re

_WORD = re.compile(r"[A-Za-zÀ-ÿ]+(?:['’][A-Za-z]+)?")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$|”)|\n\s*\n")
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöûü]+")


def plain_text(markdown: str) -> str:
    """Return the prose of Markdown: without code, tables, links' targets, pictures and marks."""
    text = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    text = re.sub(r"^(?: {4}|\|).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|`[^`]*`", "", text)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*(?:[-*]|\d+\.) +", "\n", text, flags=re.MULTILINE)
    return text.replace("*", "")


def syllables(word: str) -> int:
    """Estimate the number of syllables of a word by its groups of vowels."""
    word = word.lower()
    n = len(_VOWELS.findall(word))
    if word.endswith("e") and not re.search(r"[^aeiou]le$", word):
        n -= 1  # as in "rate", but not in "little"
    if re.search(r"[^dt]ed$", word) and not re.search(r"[^aeiou][lr]ed$", word):
        n -= 1  # as in "trained"
    if re.search(r"[^aeiou](?<![szcgxh])es$", word):
        n -= 1  # as in "rates", but not in "classes"
    return max(1, n)


def reading_ease(text: str) -> float:
    """Return Flesch's reading ease: 206.835 – 1.015 · words per sentence – 84.6 · syllables per word."""
    words = _WORD.findall(text)
    sentences = [part for part in _SENTENCE_END.split(text) if part and _WORD.search(part)]
    if not words:
        return 100.0
    return 206.835 - 1.015 * len(words) / len(sentences) - 84.6 * sum(map(syllables, words)) / len(words)
