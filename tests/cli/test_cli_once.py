"""What is given twice is a list or an error: options of all commands, keys of all overrides."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from cli_kit import mlopsim

from mlopsim.cli.main import COMMANDS, group
from mlopsim.core.errors import ConfigError
from mlopsim.core.repeated_keys import refuse_repeated_keys

CONTEXT = click.Context(group)


def options() -> list[tuple[str, click.Option]]:
    found = []
    for name in COMMANDS:
        command = command_of(name)
        below = command.commands if isinstance(command, click.Group) else {}
        for path, one in {name: command, **{f"{name} {word}": sub for word, sub in below.items()}}.items():
            found += [(path, param) for param in one.params if isinstance(param, click.Option)]
    return found


def command_of(path: str) -> click.Command:
    """Return a command by its words."""
    name, _, word = path.partition(" ")
    command = group.get_command(CONTEXT, name)
    assert command is not None
    return command.commands[word] if word and isinstance(command, click.Group) else command


@pytest.mark.parametrize(("name", "option"), options(), ids=lambda value: getattr(value, "name", value))
def test_no_option_keeps_the_last_of_several_in_silence(name: str, option: click.Option) -> None:
    command = command_of(name)
    values = [] if option.is_flag else ["1"]
    words = [option.opts[-1], *values, option.opts[-1], *values]
    try:
        command.parse_args(click.Context(command, info_name=name), words)
        said = ""
    except click.UsageError as error:
        # or that an argument is missing
        said = error.format_message()
    assert ("is given 2 times" in said) == (not option.multiple and not option.is_flag), said


def test_the_message_names_the_option(tmp_path: Path) -> None:
    ended = mlopsim("audit", "x.csv", "--group", "sex", "--group", "race", "--out", tmp_path / "x.html")
    assert ended.code == 2 and not ended.out
    assert "--group is given 2 times and takes one value: keep one of them" in ended.err
    # in whatever form
    ended = mlopsim("audit", "x.csv", "--group=sex", "--out=a.html", "--out", "b.html")
    assert "--out is given 2 times" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ["bench", "suite=smoke", "seeds=1", "seeds=2"],
        ["bench", "suite=smoke", "methods=[{periodic: {every: 3, every: 4}}]"],
        ["bench", "suite=smoke", "sweep.methods=[[{periodic: {every: 3, every: 4}}]]"],
        ["arl", "cusum", "h=5", "h=6"],
        ["calibrate", "ewma", "arl0=100", "arl0=200"],
        [
            "audit",
            "x.csv",
            "--group",
            "g",
            "--out",
            "x.html",
            "--learner",
            "{tree: {max_depth: 1, max_depth: 2}}",
        ],
    ],
)
def test_repeated_keys_are_refused(words: list[str]) -> None:
    ended = mlopsim(*words)
    assert ended.code == 2 and "is given twice" in ended.err, ended.err


def test_keys_in_different_braces_and_in_quotes_are_others() -> None:
    for text in (
        "{a: 1, b: {a: 1}}",
        "[{a: 1}, {a: 2}]",
        "'{a: 1, a: 2}'",
        "{a: x:1, b: x:2}",
        "{a: 'a: 1, a'}",
    ):
        refuse_repeated_keys(text)
    with pytest.raises(ConfigError, match="'a' is given twice"):
        refuse_repeated_keys('{"a": [1, {b: 2}], a: 3}')
