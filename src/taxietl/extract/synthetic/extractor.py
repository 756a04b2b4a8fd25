"""Offer synthetic months as a source: `--source synthetic` needs no network and no files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from taxietl.errors import TargetError
from taxietl.extract.synthetic.recipe import DEFAULT_SEED, Recipe
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile

GENERATOR_VERSION = 1
"""Goes up with every change that makes other trips of a recipe, or writes them otherwise."""


@dataclass(frozen=True)
class Synthetic:
    """Invents a month and writes it as the TLC's Parquet of that month."""

    rows: int | None = None
    seed: int = DEFAULT_SEED

    def probe(self, trip_file: TripFile, **_: object) -> SourceVersion:
        """Name the month that would be made. Its size is known only once it is.

        Raises:
            ConfigError: no such month can be made.
        """
        recipe = Recipe(trip_file.color, trip_file.year, trip_file.month, self.rows, self.seed)
        return SourceVersion(
            trip_file,
            source="synthetic",
            url=f"synthetic:{trip_file}?rows={recipe.row_count}&seed={recipe.seed}",
            etag=f"{GENERATOR_VERSION}-{trip_file}-{recipe.row_count}-{recipe.seed}",
            size_bytes=None,
        )

    def extract(self, version: SourceVersion, *, into: Path, **_: object) -> SourceFile:
        """Make the month that the version names, whichever rows and seed this source has itself.

        Raises:
            TargetError: the disk refused.
        """
        from taxietl.extract.synthetic import files

        try:
            into.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TargetError(
                f"The folder {into} cannot be made: {error.strerror}.",
                hint="Name another home with --home, one you may write to.",
            ) from error
        path = into / f"{version.trip_file.stem}-synthetic-{version.etag}.parquet"
        files.write(path, _recipe(version))
        with path.open("rb") as written:
            sha256 = hashlib.file_digest(written, "sha256").hexdigest()
        return SourceFile(version, path, path.stat().st_size, sha256)


def _recipe(version: SourceVersion) -> Recipe:
    """Read back what `probe` wrote into the address."""
    asked = parse_qs(urlsplit(version.url).query)
    month = version.trip_file
    return Recipe(
        month.color, month.year, month.month, int(asked["rows"][0]), int(asked["seed"][0])
    )
