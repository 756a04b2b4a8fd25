from __future__ import annotations

import random

from taxietl.orchestrator.define.names import two_words


def test_the_same_randomness_gives_the_same_words() -> None:
    first, second = (list(two_words(random.Random(7))) for _ in range(2))

    assert first == second
    assert len(set(first)) == 3
