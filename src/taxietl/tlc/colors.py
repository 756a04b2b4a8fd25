"""The colours of trip records, in the order they are told in; see `datasets` for each."""

from __future__ import annotations

COLORS = ("yellow", "green", "fhv", "fhvhv")
