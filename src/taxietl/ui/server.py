"""The dashboard's process: the address it listens on, and the file that says it is up.

`TAXIETL_HOME/ui.lock` holds the address and is locked for as long as the dashboard lives, however
it ends; so whoever runs flows in that home knows at once whether there is one to point to.
"""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from taxietl.config import Settings
from taxietl.errors import ConfigError, TryLaterError
from taxietl.orchestrator.store.dashboards import announced, dashboard_address
from taxietl.ui.access import Access, token_of
from taxietl.ui.app import application
from taxietl.ui.dashboard import Dashboard

STOP_SECONDS = 1
"""Pages that are open when it ends are let go after that."""


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    with_token: bool,
    options: tuple[str, ...],
    folders: tuple[str, ...],
    read_settings: Callable[[], Settings],
    ready: Callable[[str], object],
) -> None:
    """Serve the dashboard until SIGINT or SIGTERM.

    Args:
        settings: whose home is shown.
        host: the address to listen on.
        port: 0 for any that is free.
        with_token: nobody sees it without.
        options: what `taxietl` is given to mean this home and this configuration.
        folders: where the user's flows are.
        read_settings: gives them as they are at that time.
        ready: is told the link once it can be followed.

    Raises:
        ConfigError: the address cannot be used, or needs a token.
        TryLaterError: the home has a dashboard.
    """
    if not with_token and not is_loopback(host):
        raise ConfigError(
            f"Without a token, all who reach {host} would see the history.",
            hint="Leave out --no-token, or --host.",
        )
    home = settings.home
    listener = _listening(host, port)
    with listener:
        bound = int(listener.getsockname()[1])
        access = Access(token_of(home) if with_token else None, bound)
        address = f"http://{_in_address(host)}:{bound}"
        dashboard = Dashboard(home, access, read_settings, options, folders)
        with announced(home, address) as is_first:
            if not is_first:
                raise TryLaterError(
                    f"A dashboard of {home} is up already.",
                    hint=f"Open {dashboard_address(home) or 'it'}, or end it first.",
                )
            ready(f"{address}/{f'?token={access.token}' if access.token else ''}")
            _serve_until_stopped(application(dashboard, hosts=names_of(host)), listener)


def _serve_until_stopped(app: ASGIApp, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
        ws="none",
    )
    # Its own way of stopping ends with the signal raised once more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    uvicorn.Server(config).run(sockets=[listener])


def _is_news(record: logging.LogRecord) -> bool:
    """A page that is open when the dashboard ends has its stream of events cut: no error."""
    return "without completing response" not in record.getMessage()


def is_loopback(host: str) -> bool:
    """Only this machine reaches that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def names_of(host: str) -> list[str]:
    """The hosts by which a dashboard that listens there may be asked for."""
    names = {"127.0.0.1", "localhost", "[::1]", _in_address(host)}
    if not is_loopback(host):
        import psutil

        names |= {socket.gethostname(), socket.getfqdn()}
        names |= {
            _in_address(each.address.partition("%")[0])
            for addresses in psutil.net_if_addrs().values()
            for each in addresses
            if each.family in (socket.AF_INET, socket.AF_INET6)
        }
    return sorted(names)


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"The dashboard cannot listen on {host} port {port}: {error.strerror or error}.",
            hint="Choose another with --port, or 0 for any that is free.",
        ) from error
    return listener
