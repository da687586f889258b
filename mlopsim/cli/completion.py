"""Completion in the shell: commands, options, and words as ``key=value``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from mlopsim.core import registry
from mlopsim.core.errors import MlopsimError

#: how a shell asks
VARIABLE = "_MLOPSIM_COMPLETE"
PROGRAM = "mlopsim"
#: keys of `mlopsim bench` beside the groups, with the values that are known
KEYS: Mapping[str, Sequence[str]] = {
    "suite": (),
    "methods": (),
    "tasks": (),
    "seeds": (),
    "split": ("test", "validation"),
    "root": (),
    "workers": (),
    "executor": ("pool", "serial", "dask"),
    "results": (),
    "shard": (),
    "fits": (),
    "baseline": ("published",),
    "timeout": (),
    "on_error": ("continue", "stop"),
    "retry_failed": ("true", "false"),
}

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


class Bash(BashComplete):
    """Bash breaks words at ``=`` and ``:``; here they stay whole, and the answer is what bash puts in."""

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' kind value word=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            dir) COMPREPLY+=($(compgen -d -- "$word")); compopt -o filenames +o nospace ;;
            file) COMPREPLY+=($(compgen -f -- "$word")); compopt -o filenames +o nospace ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(%(complete_var)s=bash_complete COMP_LINE="${COMP_LINE:0:COMP_POINT}" "$1" 2>/dev/null)
}
complete -o nospace -o nosort -F %(complete_func)s %(prog_name)s
"""

    def source(self) -> str:
        """Return the script, whatever bash is here: click's own asks one for its version."""
        return str(self.source_template % self.source_vars())

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the whole words before the cursor, and the one that is begun."""
        line = os.environ["COMP_LINE"]
        words = click.shell_completion.split_arg_string(line)
        begun = "" if line[-1:].isspace() or not words else words.pop()
        self._begun = begun
        return words[1:], begun

    def format_completion(self, item: CompletionItem) -> str:
        """Return what bash puts behind the last ``=`` or ``:``; a word that is whole gets a blank."""
        if item.type != "plain":
            return f"{item.type},"
        kept = re.match(r".*[=:]", self._begun)
        value = item.value[len(kept[0]) if kept else 0 :]
        return f"plain,{value}" + ("" if item.value.endswith("=") or "," in value else " ")


add_completion_class(Bash)


def script(shell: str, command: click.Command) -> str:
    """Return the script for a shell: ``bash``, ``zsh`` or ``fish``."""
    found = click.shell_completion.get_completion_class(shell)
    assert found is not None, shell
    return found(command, {}, PROGRAM, VARIABLE).source()


def _items(words: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(begun)]


def components(*kinds: str, full: bool = False) -> Completer:
    """Return a completer of names of components; of all kinds, as kind/name, where none is named."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        if not kinds and "/" not in begun:
            return _items([f"{kind}/" for kind in registry.PACKAGES], begun)
        several = kinds or [kind for kind in registry.PACKAGES if begun.startswith(f"{kind}/")]
        names = [(kind, name) for kind in several for name in registry.names(kind)]
        return _items([f"{kind}/{name}" if full else name for kind, name in names], begun)

    return complete


def words(
    context: click.Context, parameter: click.Parameter, begun: str, keys: Sequence[str] = ()
) -> list[CompletionItem]:
    """Complete ``key=value``: keys, suites, parts of groups, methods of the suite that was named."""
    from mlopsim.compose.schema import PARTS

    key, equals, value = begun.partition("=")
    known = keys or (*KEYS, *PARTS)
    if not equals:
        given = {str(word).partition("=")[0] for word in context.params.get(parameter.name or "") or ()}
        return _items([f"{name}=" for name in known if name not in given], begun)
    typed = [str(word) for word in context.params.get(parameter.name or "") or ()]
    return [CompletionItem(f"{key}={word}") for word in _values(key, value, typed)]


def suite_words(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Complete ``suite=`` and ``baseline=``."""
    return words(context, parameter, begun, keys=("suite", "baseline"))


def _values(key: str, begun: str, typed: Sequence[str]) -> list[str]:
    from mlopsim.compose.schema import PARTS

    if key == "suite":
        return [name for name in _suites() if name.startswith(begun)]
    if key == "methods":
        # of a list the last name is completed: methods=adwin,dd
        before = begun[: begun.rfind(",") + 1] or begun[: begun.startswith("[")]
        chosen = before.strip("[,").split(",")
        names = [name for name in _methods(typed) if name not in chosen]
        return [before + name for name in names if name.startswith(begun[len(before) :])]
    names = registry.names(key) if key in PARTS else list(KEYS.get(key, ()))
    return [name for name in names if name.startswith(begun)]


def _suites() -> list[str]:
    from mlopsim.compose.compose import conf_folder

    return sorted(path.stem for path in (conf_folder() / "suite").glob("*.yaml"))


def _methods(typed: Sequence[str]) -> list[str]:
    """Return the methods of the suite that was typed, then all others of their kind."""
    from mlopsim.compose.compose import compose_bench

    try:
        composed = compose_bench([word for word in typed if word.startswith("suite=")][:1])
    except MlopsimError:
        # a suite that is not there has no methods: bench says so when it is run
        return []
    own = list(dict.fromkeys(_name(entry) for entry in composed.config.methods))
    kinds = {kind: len(set(own) & set(registry.names(kind))) for kind in registry.PACKAGES}
    kind = max(kinds, key=lambda name: kinds[name])
    return list(dict.fromkeys([*own, *(registry.names(kind) if kinds[kind] else [])]))


def _name(entry: Any) -> str:
    if isinstance(entry, Mapping):
        named = [str(name) for name in entry if name != "name"]
        return named[0] if named else str(entry.get("name"))
    return str(entry)
