import pytest

from digitpad.formats.stand_in import stand_in_problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<!DOCTYPE html><html>", "is a web page, not weights; download the file itself"),
        (b"\n  <HTML><body>404", "is a web page, not weights; download the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer, not the file itself; fetch it with"),
    ],
)
def test_stand_ins_are_named(content: bytes, problem: str) -> None:
    """A web page and a pointer of Git LFS are recognised by their beginning."""
    assert (stand_in_problem(content, "weights") or "").startswith(problem)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"label,pixel0\n", b"version 1", b"<svg>"])
def test_other_files_are_not(content: bytes) -> None:
    """Other files, even empty ones, stand for themselves."""
    assert stand_in_problem(content, "a dataset") is None
