"""File names that every operating system accepts."""

MAX_CHARACTERS = 60
MAX_BYTES = 200  # file systems limit names to 255 bytes, and a suffix follows

_RESERVED = {
    *("con", "prn", "aux", "nul", "conin$", "conout$"),
    *(f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"),
}
"""Devices of Windows: no file can have such a name, with any suffix."""


def safe_file_name(name: str, allowed: str = "-_ .", max_characters: int = MAX_CHARACTERS) -> str:
    """Return a file name, without suffix, for a user's name of a thing; empty if no character remains.

    Characters other than letters, digits and ``allowed`` become ``-``: a slash, a backslash or a colon would separate
    folders and drives. Windows drops a space or dot at the end.
    """
    safe = "".join(c if c.isalnum() or c in allowed else "-" for c in name).strip(" .")[:max_characters]
    safe = safe.encode()[:MAX_BYTES].decode(errors="ignore").rstrip(" .")
    return f"_{safe}" if safe.partition(".")[0].rstrip().lower() in _RESERVED else safe
