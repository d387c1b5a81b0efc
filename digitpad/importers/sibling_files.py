"""Files that belong to one network, because some authors save each matrix in a file of its own.

Files of one network share the part of their names that says which network they belong to, and differ in the part that
says which layer they hold: ``saved_wih.txt`` belongs to ``saved_who.txt``, and not to ``weights_wih.txt``.
"""

import re
from pathlib import Path

_TOKEN = re.compile(r"[A-Za-z]+|\d+")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

_ROLE_TEXT = """
w b wt ws bs weight weights bias biases wih who whh wio wxh why wh wo wi wo bh bo bi ih ho hh hidden output input out in
to layer layers fc dense linear conv kernel kernels theta thetas matrix coef coefs intercept intercepts param params l h
o i gamma beta mean var running moving bn batchnorm norm scale shift offset first second third last arr
"""
_ROLES = frozenset(_ROLE_TEXT.split())


def network_of(stem: str) -> tuple[str, ...]:
    """Return the words of a file name that say which network it belongs to; empty if all words say which layer.

    Numbers belong to the network if they stand before the first word that says which layer, as in ``net2_w1``.
    """
    words: list[str] = []
    for token in _TOKEN.findall(stem):
        words += [token] if token.isdigit() else (_WORD.findall(token) or [token])
    lower = [word.lower() for word in words]
    first_role = next((place for place, word in enumerate(lower) if word in _ROLES), None)
    if first_role is None:
        return tuple(word for word in lower if not word.isdigit())
    after = [word for word in lower[first_role:] if word not in _ROLES and not word.isdigit()]
    return (*lower[:first_role], *after)


def siblings(path: Path, files: list[Path]) -> list[Path]:
    """Return those of the files that hold parts of the same network as ``path``, including itself."""
    network = network_of(path.stem)
    suffix = path.suffix.lower()
    return [file for file in files if file.suffix.lower() == suffix and network_of(file.stem) == network]
