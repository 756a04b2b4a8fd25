"""Into a bucket, beside Google's own client and gcsfs: one object of 25 MB, and 50 of 200 KB.

    pip install gcsfs && python bench/lake_upload.py [ROUNDS]

The service is the tests' fake, in a process of its own; each client lives in this process, is
warmed up, and takes its turn in every round. Ours does what `upload-gcs` does with a file that is
staged, whose facts and CRC32C are known: the upload with these, under a condition on the
generation, the answer checked. Google's client uploads with `upload_from_filename`, as it comes;
it and ours send the 50 by four threads, gcsfs by one `put` of the list. The floor is `http.client`
with the bytes at hand: what the fake and the loopback take by themselves.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"  # else it waits 60 s for an emulator
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

SERVER = """
import sys
from gcs import Gcs
service = Gcs()
service.bucket("lake")
with service.serving():
    print(service.url, flush=True)
    for _ in sys.stdin:
        for each in (service.bucket().objects, service.bucket().sessions, service.seen):
            each.clear()
        print("empty", flush=True)
"""
THREADS = 4
BORDER = b"--no-file-holds-this-border"
Upload = Callable[[list[Path], list[str]], object]


@contextmanager
def _service() -> Iterator[tuple[str, Callable[[], object]]]:
    """The fake's address, and what empties it, while the block runs."""
    path = os.pathsep.join(each for each in sys.path if each.endswith("support"))
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert process.stdin
    assert process.stdout
    told, asked = process.stdout, process.stdin

    def empty() -> None:
        asked.write("\n")
        asked.flush()
        told.readline()

    try:
        yield told.readline().strip(), empty
    finally:
        process.communicate()


def _floor(url: str) -> Upload:
    server = urlsplit(url).netloc
    lines: list[http.client.HTTPConnection] = []
    begin = "/upload/storage/v1/b/lake/o?uploadType=resumable&name="

    def send(path: Path, key: str) -> None:
        line = lines.pop() if lines else http.client.HTTPConnection(server)
        data = path.read_bytes()
        if len(data) > 1_000_000:
            line.request("POST", begin + key)
            answer = line.getresponse()
            answer.read()
            whole = {"Content-Range": f"bytes 0-{len(data) - 1}/{len(data)}"}
            line.request("PUT", answer.headers["Location"].removeprefix(url), data, whole)
        else:
            described = json.dumps({"name": key}).encode()
            body = b"\r\n".join((BORDER, b"", described, BORDER, b"", data, BORDER + b"--", b""))
            kind = {"Content-Type": f'multipart/related; boundary="{BORDER[2:].decode()}"'}
            line.request("POST", begin.replace("resumable", "multipart"), body, kind)
        assert b"generation" in line.getresponse().read()
        lines.append(line)

    return _side_by_side(send)


def _google(url: str) -> Upload:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(
        project="p", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
    )
    bucket = client.bucket("lake")
    return _side_by_side(lambda path, key: bucket.blob(key).upload_from_filename(str(path)))


def _gcsfs(url: str) -> Upload:
    import gcsfs

    fs = gcsfs.GCSFileSystem(token="anon", endpoint_url=url, skip_instance_cache=True)
    return lambda paths, keys: fs.put([str(each) for each in paths], [f"lake/{k}" for k in keys])


def _taxietl(url: str) -> Upload:
    from lakes import facts

    from taxietl.load.google.profile import GcpCredentialsProfile
    from taxietl.load.lake.gcs_profile import GcsProfile
    from taxietl.load.lake.lake import Lake
    from taxietl.orchestrator import Cancellation
    from taxietl.steps.protocols import untold

    profile = GcsProfile(bucket="lake", endpoint=url)
    lake = Lake(profile.referring("credentials", GcpCredentialsProfile(anonymous=True)))
    cancellation = Cancellation()

    known = functools.cache(facts)  # the warm-up asks first, and a staged file has them

    def put(path: Path, key: str) -> None:
        told = replace(known(path), key=key)
        lake.put(path, told, if_generation=0, cancellation=cancellation, progress=untold)

    return _side_by_side(put)


def _side_by_side(send: Callable[[Path, str], object]) -> Upload:
    pool = ThreadPoolExecutor(THREADS)

    def upload(paths: list[Path], keys: list[str]) -> None:
        if len(paths) == 1:
            send(paths[0], keys[0])
        else:
            list(pool.map(send, paths, keys))

    return upload


def _files(folder: Path) -> dict[str, list[Path]]:
    large, small = folder / "month.parquet", [folder / f"{n}.parquet" for n in range(50)]
    large.write_bytes(os.urandom(25_000_000))
    for each in small:
        each.write_bytes(os.urandom(200_000))
    return {"1 of 25 MB": [large], "50 of 200 KB": small}


def main() -> None:
    """Print each side's medians and means, and the medians of the pairs' ratios to ours."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    taken: dict[tuple[str, str], list[float]] = {}
    with _service() as (url, empty), tempfile.TemporaryDirectory() as folder:
        makers = {"floor": _floor, "google": _google, "gcsfs": _gcsfs, "taxietl": _taxietl}
        sides = {name: make(url) for name, make in makers.items()}
        files = _files(Path(folder))
        for number in range(-1, rounds):  # the first, to warm up, does not count
            for what, paths in files.items():
                turns = deque(sides)
                turns.rotate(number)  # nobody always follows the same one
                for name in turns:
                    keys = [f"{name}/{path.name}" for path in paths]
                    empty()
                    begun = time.perf_counter()
                    sides[name](paths, keys)
                    if number >= 0:
                        taken.setdefault((what, name), []).append(time.perf_counter() - begun)
        for what in files:
            ours = taken[what, "taxietl"]
            for name in sides:
                runs = taken[what, name]
                ratio = statistics.median(us / them for us, them in zip(ours, runs, strict=True))
                told = "" if name == "taxietl" else f"; taxietl takes {ratio:.2f} of that"
                spread = f"{min(runs):.3f} to {max(runs):.3f}"
                middle = f"{statistics.median(runs):.4f} s, mean {statistics.mean(runs):.4f}"
                print(f"{what:<12} {name:<8} {middle} ({spread}){told}")


if __name__ == "__main__":
    main()
