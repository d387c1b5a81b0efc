"""Numbers as the window, figures and the terminal show them."""

PERCENT = "\N{NO-BREAK SPACE}%"
"""Unit of a percentage; the space keeps it on the line of its number."""


def format_count(number: int) -> str:
    """Format a count with commas between thousands, as in ``10,000``."""
    return f"{number:,}"


def format_percent(share: float, decimals: int = 1) -> str:
    """Format a share in 0..1 as a percentage with a no-break space, as in ``98.6 %``."""
    return f"{100 * share:.{decimals}f}{PERCENT}"


def format_number(number: float) -> str:
    """Return the shortest text from which the same number can be read."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)
