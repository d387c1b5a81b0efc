import tracemalloc

import pytest

from digitpad.formats.toml import parse_toml


def test_key_of_very_many_parts_is_refused() -> None:
    """A dotted key of 20,000 parts is refused within little time and memory."""
    tracemalloc.start()
    with pytest.raises(ValueError, match="too many dots"):
        parse_toml(".".join("a" * 20_000) + " = 1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


def test_texts_may_have_dots() -> None:
    """Dots in texts and numbers do not count as key parts."""
    text = f'description = "{"and so on… " * 100}{"." * 500}"\n[a.b.c]\nx = 1.5\n'
    assert parse_toml(text)["a"] == {"b": {"c": {"x": 1.5}}}
