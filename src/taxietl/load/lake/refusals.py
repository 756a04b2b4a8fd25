"""What Google Cloud Storage says when it refuses, in words that tell what to mend.

Nothing of the client's own messages is shown but the service's sentence: they quote addresses,
and the address of an upload is the key to it.

Source: Google Cloud, "HTTP status and error codes for JSON".
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from taxietl.errors import ConfigError, TargetError, TaxietlError, causes

if TYPE_CHECKING:
    from requests import Response

    from taxietl.load.lake.ways import Answer

NO_BUCKET = "bucket does not exist"
"""What the service says of a bucket; of an object it names bucket and object."""

MAY_PASS = {408, 429, 500, 502, 503, 504}
_RATE_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}

_KEPT_REASONS = {"retentionPolicyNotMet", "objectUnderActiveHold"}
_KEPT = re.compile(r"retention policy|under active .*hold")

SIGN_IN = (
    "Run `gcloud auth application-default login`, or check the key of the profile's "
    "`credentials`: `taxietl profiles check`."
)


@dataclass(frozen=True)
class Refusal:
    """Why something was not done."""

    error: TaxietlError
    may_pass: bool = False
    """Another attempt is worth its while."""

    retry_after_seconds: float | None = None
    status: int | None = None


class Meaning(Protocol):
    """What a service means by an answer that is no success."""

    def __call__(
        self, response: Response | Answer | None, doing: str, *, status: int | None = None
    ) -> Refusal: ...


def refusal_of(error: Exception, doing: str, meaning: Meaning | None = None) -> Refusal | None:
    """What an error of Google's client, or of the line, means; None for other errors.

    Args:
        meaning: what the service means by its answers; None for a bucket.
    """
    meaning = meaning or refusal_in
    import requests
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import (
        DefaultCredentialsError,
        InvalidOperation,
        RefreshError,
        TransportError,
    )
    from google.cloud.storage.exceptions import (  # type: ignore[import-untyped]
        DataCorruption,
        InvalidResponse,
    )
    from urllib3.exceptions import HTTPError, LocationValueError  # while raw bytes are read, too

    match error:
        case GoogleAPICallError() | InvalidResponse():
            return meaning(error.response, doing, status=getattr(error, "code", None))
        case DataCorruption():
            return Refusal(_garbled(doing), may_pass=True)
        case RefreshError():
            return _not_signed_in(error, doing)
        case InvalidOperation():  # nobody's credentials cannot be renewed after a 401
            return meaning(None, doing, status=401)
        case DefaultCredentialsError():
            return Refusal(
                ConfigError(f"Cannot {doing}: there are no Google Cloud credentials.", hint=SIGN_IN)
            )
        case (
            requests.exceptions.InvalidSchema()
            | requests.exceptions.InvalidURL()
            | LocationValueError()
        ):
            return Refusal(
                ConfigError(
                    f"Cannot {doing}: the address of the service, or of the proxy on the way "
                    f"there, cannot be used ({type(error).__name__}).",
                    hint="Check the profile's `endpoint` if it has one, STORAGE_EMULATOR_HOST "
                    "(an address like http://localhost:4443), and HTTP_PROXY, HTTPS_PROXY, "
                    "ALL_PROXY and NO_PROXY. A SOCKS proxy needs `pip install pysocks`.",
                )
            )
        case TransportError() | requests.RequestException() | HTTPError():
            return unreachable(error, doing)
        case OSError() if "CA certificate bundle" in str(error):  # by `requests` itself
            return Refusal(
                ConfigError(
                    f"Cannot {doing}: there are no certificates where REQUESTS_CA_BUNDLE (or "
                    "CURL_CA_BUNDLE) says.",
                    hint="Name a file that is there, or unset the variable.",
                )
            )
    return None


def refusal_in(
    response: Response | Answer | None, doing: str, *, status: int | None = None
) -> Refusal:
    """What an answer that is no success means."""
    status = int(response.status_code if response is not None else status or 0)
    reason, sentence = said(response)
    quoted = f" Google says: {sentence}" if sentence else ""
    if status == 403 and reason in _RATE_REASONS:
        status = 429
    message = f"Cannot {doing} (HTTP {status}).{quoted}"
    match status:
        case 401:
            error: TaxietlError = TargetError(
                f"Cannot {doing}: the credentials are not accepted (HTTP 401).{quoted}",
                hint=SIGN_IN,
            )
        case 403:
            error = TargetError(
                f"Cannot {doing}: that is not allowed (HTTP 403).{quoted}",
                hint=_allowing(reason, sentence),
            )
        case 404:
            where = "" if NO_BUCKET in sentence else " at the address asked (HTTP 404)"
            error = TargetError(
                f"Cannot {doing}: there is no such bucket{where}.",
                hint="Check `bucket` in the profile, and `endpoint` or STORAGE_EMULATOR_HOST if "
                "one is set: an address like http://localhost:4443, with no / and no path at its "
                "end. Or make the bucket: `taxietl lake create-bucket --project PROJECT`.",
            )
        case 429:
            error = TargetError(
                f"Cannot {doing}: too many requests, or a quota is used up (HTTP 429).{quoted}",
                hint="Run again in some minutes; look at the project's quotas if it stays so.",
            )
        case 400 if "requester pays" in sentence:
            error = TargetError(
                message,
                hint="taxietl names no project that is to pay. Let the bucket's own: `gcloud "
                "storage buckets update gs://BUCKET --no-requester-pays`.",
            )
        case _ if status in MAY_PASS:
            error = TargetError(message, hint="Google's side failed. Run again later.")
        case _:
            error = TargetError(message, hint="Check the profile: `taxietl profiles check`.")
    return Refusal(error, status in MAY_PASS, retry_after(response), status)


def _allowing(reason: str, sentence: str) -> str:
    """What to give or to take off, where something is not allowed."""
    if "billing" in sentence.lower():
        return "Switch billing on for the bucket's project."
    if reason in _KEPT_REASONS or _KEPT.search(sentence):
        return (
            "A lake replaces objects, its manifests with each upload: release the hold, or take "
            "the retention policy off (`gcloud storage buckets update gs://BUCKET "
            "--clear-retention-period`), or use a bucket that has none."
        )
    if "Cloud KMS" in sentence:
        return (
            "Let Cloud Storage itself use the bucket's key: `gcloud storage service-agent "
            "--project PROJECT --authorize-cmek KEY`."
        )
    return (
        "Give the account the role Storage Object Admin on the bucket "
        "(roles/storage.objectAdmin), then run again."
    )


def unreachable(error: Exception, doing: str) -> Refusal:
    """No answer came; of the error only the kind is told, since it quotes the address."""
    for cause in causes(error, context=True):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refusal(
                TargetError(
                    f"Cannot {doing}: the server's certificate is not trusted: "
                    f"{cause.verify_message}.",
                    hint="Where your network has a certificate authority of its own, name its "
                    "file in REQUESTS_CA_BUNDLE.",
                )
            )
    return Refusal(
        TargetError(
            f"Cannot {doing}: no answer ({type(error).__name__}).",
            hint="Check the network, and the profile's `endpoint` or STORAGE_EMULATOR_HOST if one "
            "is set; then run again.",
        ),
        may_pass=True,
    )


def _garbled(doing: str) -> TargetError:
    return TargetError(
        f"Cannot {doing}: what arrived is not what was sent.",
        hint="Run again; if it stays so, something between here and Google changes the bytes.",
    )


def _not_signed_in(error: Exception, doing: str) -> Refusal:
    """Google gave no token. The error quotes its answer, which holds no secret of ours."""
    told = " ".join(str(each) for each in error.args)
    if "iat" in told or "timeframe" in told:
        return Refusal(
            ConfigError(
                f"Cannot {doing}: Google does not accept this machine's time.",
                hint="Set the clock (`timedatectl set-ntp true`), then run again.",
            )
        )
    if getattr(error, "retryable", False):
        return unreachable(error, doing)
    return Refusal(
        TargetError(
            f"Cannot {doing}: Google gives these credentials no token; the key may have been "
            "deleted, or its account disabled.",
            hint=SIGN_IN,
        )
    )


def said(response: Response | Answer | None) -> tuple[str, str]:
    """The service's reason and sentence."""
    if response is None:
        return "", ""
    try:
        document: Any = response.json()["error"]
        first = (document.get("errors") or [{}])[0]
        sentence = " ".join(str(document.get("message", "")).split())[:300]
        return str(first.get("reason", "")), sentence
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        try:
            return "", HTTPStatus(response.status_code).phrase
        except ValueError:
            return "", ""


def retry_after(response: Response | Answer | None) -> float | None:
    """How long the service asks to wait, in seconds."""
    if response is None:
        return None
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None
