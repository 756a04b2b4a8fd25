"""HTTP lines that another thread can cut, so that nobody waits for an answer in vain.

They are kept between uploads: a handshake with the service costs more than a small object. Neither
redirects, cookies nor `~/.netrc` are for an upload.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from taxietl.load.lake.ways import Answer, Way, way_to
from taxietl.steps.protocols import Cancellation
from taxietl.version import __version__

_AGENT = f"taxietl/{__version__}"


class Line:
    """What one thread at a time sends by; it has at most one connection to a host."""

    def __init__(self) -> None:
        self._ways: dict[str, Way] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Iterable[bytes] | bytes,
        size_bytes: int,
        timeouts: tuple[float, float],
    ) -> Answer:
        """One request, sent once.

        Args:
            size_bytes: of the body.
            timeouts: to connect and for each block of the body; and for the answer.

        Raises:
            ways.NO_ANSWER: none came.
        """
        split = urlsplit(url)
        host = f"{split.scheme}://{split.netloc}"
        way = self._ways.get(host)
        if way is None:
            way = self._ways[host] = way_to(host)
        told = {"User-Agent": _AGENT, "Content-Length": str(size_bytes), **headers}
        return way.exchange(method, url.removeprefix(host), told, body, timeouts)

    def cut(self) -> None:
        """End its connections, from any thread."""
        for each in list(self._ways.values()):
            each.cut()

    def close(self) -> None:
        """Be done with it."""
        for each in self._ways.values():
            each.close()


class Lines:
    """Lines at rest, for whoever uploads next."""

    def __init__(self) -> None:
        self._resting: list[Line] = []

    @contextmanager
    def taken(self, cancellation: Cancellation) -> Iterator[Line]:
        """One for this thread alone, which ends as soon as the run is asked to stop."""
        try:
            line = self._resting.pop()
        except IndexError:
            line = Line()
        try:
            with cancellation.on_cancel(line.cut):
                yield line
        except BaseException:
            line.close()
            raise
        self._resting.append(line)
