"""How often what happens in a taxi: the shares and weights that synthetic trips are drawn from.

They follow published samples of yellow trips from autumn 2020; green borrows them. Only the busiest
zones are listed, the others share what is left evenly. Loads numpy, so import it on use.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np  # noqa: TID253  the module is loaded only to make trips
from numpy.typing import NDArray  # noqa: TID253

Numbers = NDArray[np.int64]

NOTHING = int(np.iinfo(np.int64).min)
"""In a cell: there is no value."""

_SLOTS = 1 << 16  # two random bytes make a draw; the rarest share kept apart is 1 in 65,536


class Odds:
    """Draws from a small set of whole numbers, each with its weight, by one look-up in a table."""

    def __init__(self, weights: Mapping[int, float]) -> None:
        edges = np.cumsum(np.fromiter(weights.values(), float))
        ends = np.rint(edges / edges[-1] * _SLOTS).astype(np.int64)
        self._table = np.repeat(np.fromiter(weights, np.int64), np.diff(ends, prepend=0))

    def draw(self, rng: np.random.Generator, count: int) -> Numbers:
        """`count` values, each with the probability of its weight."""
        return self._table[rng.integers(0, _SLOTS, count, dtype=np.uint16)]


def _with_quiet_zones(busy: Mapping[int, float]) -> dict[int, float]:
    quiet = [zone for zone in range(1, 266) if zone not in busy]
    share = 0.03 * sum(busy.values()) / len(quiet)
    return {**busy, **dict.fromkeys(quiet, share)}


# Taxi zones by number of trips. 264 is "unknown", 265 "outside of New York".
# fmt: off
PICKUP_ZONE = Odds(_with_quiet_zones({
    237: 560, 236: 537, 186: 356, 161: 353, 141: 349, 142: 340, 239: 332, 162: 319, 170: 316,
    140: 306, 48: 297, 238: 294, 263: 291, 234: 264, 229: 244, 107: 242, 163: 234, 68: 215,
    249: 210, 79: 205, 90: 200, 164: 192, 137: 191, 43: 187, 230: 178, 100: 170, 262: 169,
    143: 156, 75: 155, 132: 152, 151: 150, 113: 148, 233: 137, 138: 118, 231: 103, 114: 93,
    246: 91, 166: 78, 50: 76, 74: 75, 264: 75, 41: 71, 144: 66, 211: 59, 148: 54, 24: 47,
    13: 46, 125: 45, 87: 41, 158: 38, 42: 30,
}))
DROPOFF_ZONE = Odds(_with_quiet_zones({
    236: 542, 237: 481, 239: 328, 141: 315, 161: 310, 238: 300, 170: 295, 140: 283, 142: 282,
    48: 264, 263: 262, 229: 256, 162: 248, 234: 243, 75: 216, 163: 203, 68: 202, 186: 189,
    107: 186, 143: 180, 262: 180, 79: 172, 249: 170, 137: 170, 164: 158, 90: 155, 151: 155,
    233: 154, 230: 143, 43: 142, 100: 136, 113: 135, 74: 134, 246: 133, 50: 122, 231: 122,
    41: 101, 166: 90, 42: 81, 114: 79, 264: 76, 158: 72, 211: 66, 144: 63, 232: 55, 24: 53,
    148: 52, 224: 50, 87: 49, 116: 48, 4: 47,
}))
ANY_ZONE = Odds(dict.fromkeys(range(1, 266), 1))

# Trips by hour of the day, from midnight, and by day of the week, from Monday.
HOUR_WEIGHTS = (
    366, 200, 99, 66, 66, 150, 518, 856, 1371, 1418, 1538, 1718,
    1887, 2040, 2242, 2205, 2027, 2126, 1946, 1565, 1163, 985, 874, 557,
)
DAY_WEIGHTS = (0.93, 1.02, 1.05, 1.08, 1.12, 1.00, 0.80)
# fmt: on

VENDOR = Odds({1: 0.32, 2: 0.68})
PASSENGERS = Odds({1: 21_111, 2: 3_702, 3: 993, 5: 738, 0: 572, 6: 533, 4: 334, 7: 0.4})
RATE = Odds({1: 0.9855, 2: 0.0085, 3: 0.0010, 4: 0.0006, 5: 0.0043, 99: 0.0001})
STORED_AND_FORWARDED = Odds({0: 0.9868, 1: 0.0132})
PAYMENT = Odds({1: 0.7346, 2: 0.2600, 3: 0.0032, 4: 0.0022})
REVERSED_PAYMENT = Odds({3: 0.6, 4: 0.4})
TRIP_TYPE = Odds({1: 0.97, 2: 0.03})
TOLLS_CENTS = Odds(
    {0: 0.9757, 612: 0.0215, 280: 0.0008, 1175: 0.0007, 1224: 0.0006, 1375: 0.0004, 229: 0.0003}
)
TIP_PERCENT = Odds({20: 0.55, 25: 0.20, 30: 0.15, 15: 0.10})
TIP_DOLLARS = Odds(dict.fromkeys(range(1, 8), 1))
# Wrong clocks: a dozen years, a year or a month back, a month ahead; never within the month.
STRAY_DAYS = Odds({-4383: 0.3, -365: 0.2, -31: 0.3, 31: 0.2})

ZERO_DISTANCE_SHARE = 0.012
NEARLY_A_DAY_SHARE = 0.0025
TO_THE_MINUTE_SHARE = 0.45  # of the dispatched trips, as the next
BACKWARDS_SHARE = 0.05
REVERSED_SHARE = 0.005
ROWS_PER_STRAY = 20_000
ROWS_PER_ABSURD_DISTANCE = 60_000
