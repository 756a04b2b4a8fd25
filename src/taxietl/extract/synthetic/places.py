"""Where on the globe a trip of the early months begins and ends.

Loads numpy, so import it on use.
"""

from __future__ import annotations

import numpy as np  # noqa: TID253  the module is loaded only to make trips

from taxietl.extract.synthetic.odds import Numbers
from taxietl.extract.synthetic.rides import Cells

_UNLOCATED_SHARE = 0.02
_CENTRE = {"longitude": -73_980_000, "latitude": 40_750_000}


def coordinates(rng: np.random.Generator, trips: Cells) -> Cells:
    """Points in the trips' zones, in millionths of a degree; both 0 where none was measured."""
    cells: Cells = {}
    for end, zones in (("pickup", "pulocationid"), ("dropoff", "dolocationid")):
        located = rng.random(len(trips[zones])) >= _UNLOCATED_SHARE
        for axis, step in (("longitude", 16), ("latitude", 17)):
            grid = (trips[zones] % step - step // 2) * 9_000
            points: Numbers = _CENTRE[axis] + grid + rng.integers(0, 9_000, len(grid))
            cells[f"{end}_{axis}"] = np.where(located, points, 0)
    return cells
