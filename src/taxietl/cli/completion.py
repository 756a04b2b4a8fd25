"""What a shell may offer at TAB: the answer to the scripts that `--install-completion` writes.

The scripts are Typer's; they call taxietl with the words so far in variables. The answer is worked
out here from the commands as they are declared, since Typer's own takes Rich and pydantic to do
it, 0.2 s, and reads help as markup. Nothing is opened for writing, no error says a word.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from taxietl.cli.commands import ALIASES

VARIABLE = "_TAXIETL_COMPLETE"
_PLAIN = re.compile(r"[\w.,/@%+=:-]+")
"""What no shell needs quoted: all else is left out."""

Offer = tuple[str, str]
"""A word, and what it does."""


def answer(environment: Mapping[str, str]) -> int:
    """Print what the shell asks for; gives the exit code."""
    shell = environment[VARIABLE].removeprefix("complete_")
    found: list[Offer] = []
    with suppress(Exception):  # whoever types is not to be disturbed
        found = offers(*_asked(shell, environment))
    if environment.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return 0 if found else 1  # else fish offers files
    sys.stdout.write(_written(shell, found))
    return 0


def offers(words: list[str], incomplete: str) -> list[Offer]:
    """What may stand in place of the incomplete word, after those words; empty: maybe files."""
    from taxietl.cli.app import command_line
    from taxietl.cli.session import choose

    if incomplete.startswith("-") and "=" in incomplete:  # but in bash, which parts the two
        option, _, value = incomplete.partition("=")
        return [(f"{option}={word}", says) for word, says in offers([*words, option], value)]
    read = _Read(command_line(words))
    for word in words:
        read.take(word)
    choose(**{name: Path(given) for name, given in read.common.items()})  # as before the command
    return [each for each in read.words(incomplete) if _PLAIN.fullmatch(each[0])]


@dataclass
class _Read:
    """A command line as far as it was typed."""

    command: Any
    option: Any = None
    """The option whose value comes next."""
    common: dict[str, str] = field(default_factory=dict)
    """`--config` and `--home`."""
    given: list[Any] = field(default_factory=list)
    """Options that were there already."""
    arguments: int = 0
    """How many there were."""

    def take(self, word: str) -> None:
        """Read one more word."""
        if word == "=" and self.option:  # bash parts --color=green into three
            return
        if self.option:
            if self.option.name in ("config", "home"):
                self.common[self.option.name] = word
            self.option = None
        elif word.startswith("-"):
            name, equals, value = word.partition("=")
            option = next((each for each in self._options() if name in each.opts), None)
            self.given.append(option)
            self.option = None if option is None or option.is_flag else option
            if equals:
                self.take(value)
        elif commands := self._commands():
            if word != "help":
                self.command = commands[ALIASES.get(word, word)]
        else:
            self.arguments += 1

    def words(self, incomplete: str) -> Iterator[Offer]:
        """What may come next."""
        incomplete = "" if incomplete == "=" else incomplete
        if self.option:
            yield from self._values(self.option, incomplete)
        elif incomplete.startswith("-"):
            for each in self._options():
                if each.multiple or each not in self.given:
                    for name in each.opts:
                        if name.startswith(incomplete):
                            yield name, each.help or ""
        elif commands := self._commands():
            for name, command in commands.items():
                if name.startswith(incomplete):
                    yield name, command.help or ""
        else:
            arguments = [each for each in self.command.params if each.opts[0][0] != "-"]
            left = arguments[self.arguments :] or [each for each in arguments if each.nargs == -1]
            for argument in left[:1]:
                yield from self._values(argument, incomplete)

    def _commands(self) -> dict[str, Any]:
        return getattr(self.command, "commands", {})

    def _options(self) -> list[Any]:
        parameters = self.command.get_params(self._context())
        return [each for each in parameters if each.opts[0][0] == "-"]

    def _values(self, parameter: Any, incomplete: str) -> Iterator[Offer]:
        for each in parameter.shell_complete(self._context(), incomplete):
            yield each.value, each.help or ""

    def _context(self) -> typer.Context:
        return typer.Context(self.command, resilient_parsing=True)


def _asked(shell: str, environment: Mapping[str, str]) -> tuple[list[str], str]:
    """The words after `taxietl`, and the one under the cursor."""
    if shell == "bash":
        last = int(environment["COMP_CWORD"])
        words = ["".join(_split(each)) for each in environment["COMP_WORDS"].split("\n")]
        return words[1:last], words[last]
    line = environment["_TYPER_COMPLETE_ARGS"]
    words = _split(line)[1:]
    is_begun = bool(words) and not line[-1].isspace()
    return (words[:-1], words[-1]) if is_begun else (words, "")


def _split(line: str) -> list[str]:
    """The words of a line, whose last quotes may be open still."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words = []
    try:
        for each in lexer:
            words.append(each)
    except ValueError:
        words.append(lexer.token)
    return words


def _written(shell: str, found: list[Offer]) -> str:
    """The answer as the script of that shell takes it."""
    match shell:
        case "bash":
            lines = [word for word, _ in found]
        case "zsh":
            if not found:
                return "_files\n"
            pairs = [(word.replace(":", r"\\:"), _short(says)) for word, says in found]
            described = "\n".join(f'"{word}":"{says}"' for word, says in pairs)
            lines = [f"_arguments '*: :(({described}))'"]
        case "fish":
            lines = [f"{word}\t{_short(says)}" for word, says in found]
        case _:
            lines = [f"{word}:::{_short(says) or ' '}" for word, says in found]
    return "".join(f"{line}\n" for line in lines)


def _short(says: str) -> str:
    """Its first sentence, without what a shell would take for its own."""
    first = re.split(r"(?<=[.;:]) |\n\n", says, maxsplit=1)[0].rstrip(".;:")
    return re.sub(r"[^\w .,/@%+=<>()\[\]-]+", " ", " ".join(first.split()))
