"""HTML of reports: tables, embedded figures, and the page around them. Any text in it is escaped."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

from digitpad.system.versions import versions

_STYLE = """
body { font-family: system-ui, sans-serif; color: #1c2330; background: #ffffff; max-width: 60em; margin: 2em auto;
  padding: 0 1em; line-height: 1.45; }
h1 { font-size: 1.7em; margin-bottom: 0.2em; }
h2 { font-size: 1.25em; margin-top: 1.8em; }
p.about { color: #5a6475; margin-top: 0; }
table { border-collapse: collapse; }
th, td { padding: 4px 10px; border-bottom: 1px solid #e3e6eb; text-align: right; }
th { color: #5a6475; font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; }
img.pixels { width: 56px; height: 56px; image-rendering: pixelated; border: 1px solid #e3e6eb; }
div.digit { display: inline-block; text-align: center; margin: 0 8px 12px 0; font-size: 0.85em; }
"""


def page(title: str, about: str, sections: Iterable[str]) -> str:
    """Return a whole HTML page, which ends with the versions of the program and its libraries."""
    from digitpad import __version__

    rows = [("digitpad", __version__), *versions().items()]
    parts = [*sections, section("Versions", table((), rows))]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{escape(title)}</h1>\n<p class="about">{escape(about)}</p>\n' + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def section(title: str, *contents: str) -> str:
    """Return a section with a heading; ``contents`` are HTML."""
    return f"<h2>{escape(title)}</h2>\n" + "\n".join(contents)


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain texts."""
    lines = ["<table>"]
    if heads:
        lines.append("<tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>")
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def figure(png: bytes, description: str, width_px: int = 0) -> str:
    """Return an embedded PNG image with its description for screen readers."""
    size = f' width="{width_px}"' if width_px else ""
    return f'<p><img src="{_data_url(png)}" alt="{escape(description)}"{size}></p>'


def digit(png: bytes, caption: str) -> str:
    """Return a small image of pixels with a caption."""
    image = f'<img class="pixels" src="{_data_url(png)}" alt="" width="56" height="56">'
    return f'<div class="digit">{image}<br>{escape(caption)}</div>'


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
