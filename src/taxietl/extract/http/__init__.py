"""Files over HTTP: the TLC's own server, mirrors of it, any address.

`client` asks, and ends at once when told to; `answers` says what an answer means; `download` brings
a file into the cache, whole and checked by `checks`, or not at all; `extractor` offers it as a
source. httpx loads on use.
"""

from __future__ import annotations

from taxietl.extract.http.extractor import Http

__all__ = ["Http"]
