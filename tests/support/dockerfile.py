"""A Dockerfile carried out without Docker: each stage in a machine of its own.

Knows what ours uses: ARG, FROM, RUN, COPY, ENV, USER, WORKDIR, VOLUME, ENTRYPOINT and CMD in their
simple forms. Where an image is named, there is an empty machine instead.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from machine import PATH, Machine, empty_machine


@dataclass
class Image:
    """What a stage comes to."""

    machine: Machine
    base: str
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    user: str = "0:0"
    folder: str = "/"
    volumes: list[str] = field(default_factory=list)
    entry_point: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    @property
    def line(self) -> list[str]:
        """What a container of it runs."""
        return [*self.entry_point, *self.command]


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction and the rest of its line, or lines."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def build(dockerfile: Path, context: Path, folder: Path) -> Image:
    """Carry the file out; the machines' roots come to lie in the folder."""
    ignored = dockerfile.with_name(f"{dockerfile.name}.dockerignore").read_text().splitlines()
    arguments = dict[str, str]()
    stages = dict[str, Image]()
    image: Image | None = None
    for word, given in instructions(dockerfile.read_text()):
        rest = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], given)
        if word == "ARG":
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            base, _, name = rest.partition(" AS ")
            name = name or "last"
            image = stages[name] = Image(empty_machine(folder / name), base)
        else:
            assert image is not None, word
            _apply(image, word, rest, stages, context, ignored)
    assert image is not None
    return image


def _apply(
    image: Image,
    word: str,
    rest: str,
    stages: dict[str, Image],
    context: Path,
    ignored: list[str],
) -> None:
    match word:
        case "RUN":
            command = ("sh", "-ec", rest)
            done = image.machine.run(
                *command, user=image.user, folder=image.folder, variables=image.variables
            )
            assert done.returncode == 0, f"RUN {rest}\n{done.stdout}{done.stderr}"
        case "COPY":
            _copy(image, rest, stages, context, ignored)
        case "ENV":
            for each in shlex.split(rest):
                name, _, value = each.partition("=")
                image.variables[name] = value.replace(f"${name}", image.variables.get(name, ""))
        case "WORKDIR":
            image.folder = rest
            image.machine.path(rest).mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = rest
        case "VOLUME":
            image.volumes.append(rest)
        case "ENTRYPOINT":
            image.entry_point = json.loads(rest)
        case "CMD":
            image.command = json.loads(rest)
        case _:
            raise AssertionError(f"{word} is not known here")


def _copy(
    image: Image, rest: str, stages: dict[str, Image], context: Path, ignored: list[str]
) -> None:
    *options, last = shlex.split(rest)
    given = [each for each in options if not each.startswith("--")]
    from_stage = [each.removeprefix("--from=") for each in options if each.startswith("--from=")]
    target = image.machine.path(str(Path(image.folder) / last))
    for each in given:
        source = stages[from_stage[0]].machine.path(each) if from_stage else context / each
        if not from_stage:
            assert f"!{each}" in ignored, f"{each} does not come into the context"
        if source.is_dir():
            shutil.copytree(
                source, target, symlinks=True, dirs_exist_ok=True, ignore=_ignore(ignored)
            )
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target / source.name)


def _ignore(patterns: list[str]) -> shutil._IgnoreFn:  # type: ignore[name-defined]
    names = [each.removeprefix("**/") for each in patterns if each.startswith("**/")]

    def ignored(_folder: str, found: list[str]) -> list[str]:
        return [name for name in found for each in names if fnmatch.fnmatch(name, each)]

    return ignored
