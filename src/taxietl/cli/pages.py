"""Reports as one HTML file each: no script, nothing from the network, light and dark."""

from __future__ import annotations

from html import escape
from pathlib import Path

from taxietl.errors import ConfigError, TargetError
from taxietl.version import __version__

_STYLE = """
:root { color-scheme: light dark; --back: #f7f7f5; --card: #fff; --ink: #1d2125; --soft: #667079;
  --line: #e1e3e0; --bar: #d99a00; --median: #1d2125; }
@media (prefers-color-scheme: dark) { :root { --back: #15181b; --card: #1e2226; --ink: #e8eaec;
  --soft: #98a2ab; --line: #31373d; --bar: #f2b824; --median: #fff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 2rem 1.25rem; background: var(--back);
  color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.8rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
header p, footer { color: var(--soft); } header p, footer code { overflow-wrap: anywhere; }
footer { margin-top: 2rem; font-size: .85rem; } section { overflow-x: auto; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .85rem; }
"""


def document(title: str, body: str, *, style: str, footer: str = "") -> str:
    """The whole document.

    Args:
        title: as text.
        body: as HTML.
        style: CSS besides what all reports have.
        footer: HTML after the version.
    """
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}{style}</style></head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<footer>taxietl {escape(__version__)}{footer}</footer>\n</body></html>\n"
    )


def tile(value: str, label: str) -> str:
    """A number with what it is of, both as text."""
    return f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'


def check_folder(page: Path) -> None:
    """Demand that the file can be made, before work goes into it.

    Raises:
        ConfigError: its folder is not there.
    """
    if not page.parent.is_dir():
        raise ConfigError(
            f"{page} cannot be written: there is no folder {page.parent}.",
            hint=f"Make it with `mkdir -p {page.parent}`, or name another file with --html.",
        )


def write_page(path: Path, text: str) -> None:
    """Write it whole or not at all.

    Raises:
        TargetError: it cannot be written.
    """
    from taxietl.replacing import replacing

    try:
        with replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TargetError(
            f"{path} cannot be written: {error.strerror}.", hint="Name another file with --html."
        ) from error
