"""Why there was no answer, in words: what httpx and the system say, as our errors.

No message repeats httpx's own text where it could hold an address: a query may be a token.
"""

from __future__ import annotations

import errno
import socket
import ssl

from taxietl.errors import SourceError, TaxietlError, TransferError, causes

_AT_HAND = "or use files that are at hand: --source FOLDER"
_NO_WAY = (errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH, errno.EHOSTDOWN)


def told(error: Exception, name: str, *, stall: float) -> TaxietlError:
    """An exception on the way to an answer as an error of ours, that says whether to try again.

    Args:
        error: what was raised.
        name: the address, as messages may show it.
        stall: the seconds that were waited for the next byte.
    """
    import httpx

    match error:
        case TaxietlError():
            return error
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return TransferError(
                f"{name}: no connection in time.",
                hint=f"Check the network and the address, {_AT_HAND}.",
            )
        case httpx.TimeoutException():
            return TransferError(
                f"{name}: no byte came for {stall:g} s.",
                hint="Run again: what is here already is kept.",
            )
        case httpx.ProxyError():
            return SourceError(
                f"{name}: the proxy refuses to connect.",
                hint="Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
            )
        case httpx.ConnectError():
            return _not_connected(error, name)
        case httpx.TransportError() if not isinstance(error, httpx.UnsupportedProtocol):
            return TransferError(
                f"{name}: the connection was cut.", hint="Run again: what is here already is kept."
            )
    return SourceError(
        f"{name} cannot be asked for: {type(error).__name__}.", hint="Check the address."
    )


def _not_connected(error: Exception, name: str) -> SourceError:
    """By the system's own exception behind it."""
    for cause in causes(error, context=True):
        match cause:
            case ssl.SSLCertVerificationError():
                return SourceError(
                    f"{name}: the server's certificate is not trusted: {cause.verify_message}.",
                    hint="Where your network has a certificate authority of its own, name its "
                    "file in SSL_CERT_FILE.",
                )
            case ssl.SSLError():
                return SourceError(
                    f"{name}: no TLS connection: {cause.reason or 'the server broke it off'}.",
                    hint="Check the address, and whether a proxy or a log-in page is between.",
                )
            case socket.gaierror() if cause.errno != socket.EAI_AGAIN:
                return SourceError(
                    f"{name}: there is no host of that name.",
                    hint=f"Check the address and the network, {_AT_HAND}.",
                )
            case socket.gaierror():
                return TransferError(
                    f"{name}: the host's name cannot be looked up now.",
                    hint=f"Check that the network is up, {_AT_HAND}.",
                )
            case OSError(errno=number) if number in _NO_WAY:
                return TransferError(
                    f"{name}: no network leads there.",
                    hint=f"Check that the network is up, {_AT_HAND}.",
                )
            case ConnectionRefusedError():
                return TransferError(
                    f"{name}: nobody answers at that port.",
                    hint=f"Check the address, and the proxy if there is one, {_AT_HAND}.",
                )
    return TransferError(f"{name}: no connection.", hint=f"Check the network, {_AT_HAND}.")
