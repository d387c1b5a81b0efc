"""Files that stand for another one: a web page that was saved in its place, or a pointer of Git LFS."""


def stand_in_problem(content: bytes, expected: str) -> str | None:
    """Return what is wrong with a file that begins with ``content`` if it stands for another one.

    Parameters
    ----------
    content : bytes
        At least the first 64 bytes.
    expected : str
        What the file should be, for example ``"a dataset"``.
    """
    start = content[:64].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return f"is a web page, not {expected}; download the file itself"
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the file itself; fetch it with `git lfs pull`"
    return None
