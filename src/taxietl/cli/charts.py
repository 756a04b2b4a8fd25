"""Bar charts as SVG text, for a page without scripts. Colours are the page's: `bar`, `axis`."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 360, 130
_BASE, _TOP = HEIGHT - 22, 14
"""Where the bars stand, and where the tallest ends."""


def bars(rows: Sequence[int], names: Sequence[str], *, marks: Sequence[int], title: str) -> str:
    """A bar for each count, its name and count shown when pointed at.

    Args:
        rows: the counts.
        names: of each, for the tooltip and, where marked, under it.
        marks: places whose names stand under the chart.
        title: what it shows, for those who do not see it.
    """
    highest = max([*rows, 1])
    step = WIDTH / len(rows)
    drawn = [_bar(place * step, step, count / highest) for place, count in enumerate(rows)]
    parts = [
        f"<g><title>{escape(name)}: {count:,}</title>{shape}</g>"
        for shape, name, count in zip(drawn, names, rows, strict=True)
    ]
    parts += [
        f'<text class="axis" x="{(place + 0.5) * step if place else 0:.1f}" y="{HEIGHT - 6}" '
        f'text-anchor="{"middle" if place else "start"}">{escape(names[place])}</text>'
        for place in marks
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f'<text class="axis" x="0" y="10">{highest:,}</text>'
        f'<line class="base" x1="0" x2="{WIDTH}" y1="{_BASE}" y2="{_BASE}"/>{"".join(parts)}</svg>'
    )


def _bar(left: float, step: float, share: float) -> str:
    """The bar, and over it the whole height to point at."""
    tall = share * (_BASE - _TOP)
    if share:
        tall = max(tall, 1)  # what is there at all is seen
    gap = min(2.0, step / 5)
    return (
        f'<rect class="hit" x="{left:.1f}" y="0" width="{step:.1f}" height="{_BASE}"/>'
        f'<rect class="bar" x="{left + gap / 2:.1f}" y="{_BASE - tall:.1f}" '
        f'width="{step - gap:.1f}" height="{tall:.1f}" rx="1.5"/>'
    )


def meter(share: float, *, title: str) -> str:
    """A share, 0 to 1, as a part of a line."""
    return (
        f'<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}"><rect class="track" width="100" height="8" rx="2"/>'
        f'<rect class="bar" width="{max(100 * share, 0.8 if share else 0):.2f}" height="8" rx="2"/>'
        "</svg>"
    )


def spread(low: float, middle: Sequence[float], high: float, *, title: str) -> str:
    """Where the 5 %, 25 %, median, 75 % and 95 % lie between two values, as a box on a line."""
    width = (high - low) or 1.0
    outer_low, box_low, median, box_high, outer_high = (
        min(max(100 * (each - low) / width, 0), 100) for each in middle
    )
    box, line = max(box_high - box_low, 1), max(median - 0.5, 0)
    return (
        f'<svg class="spread" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f'<line class="base" x1="{outer_low:.1f}" x2="{outer_high:.1f}" y1="6" y2="6"/>'
        f'<rect class="bar" x="{box_low:.1f}" y="1" width="{box:.1f}" height="10" rx="1"/>'
        f'<rect class="median" x="{line:.1f}" y="0" width="1.2" height="12"/></svg>'
    )
