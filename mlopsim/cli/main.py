"""The ``mlopsim`` command: one file per sub-command, imported when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys

import click
from click.shell_completion import CompletionItem

from mlopsim import __version__
from mlopsim.cli.error_messages import run
from mlopsim.core.errors import nearest

#: by which a shell asks for completions (mlopsim/cli/completion.py)
VARIABLE = "_MLOPSIM_COMPLETE"
COMMANDS: dict[str, str] = {
    "bench": "Run a suite: fits, cells, leaderboard, report.",
    "list": "List components, suites and tracks.",
    "status": "What is done, failed and missing in a results folder.",
    "watch": "How a run goes, of another process, too.",
    "merge": "Put the results of several shards or machines together.",
    "report": "Write the HTML report of a results folder again.",
    "compare": "Paired difference of two methods, with its interval.",
    "diff": "Which numbers of two results folders differ, and why.",
    "front": "Return against cost: the exact front, and every method's place.",
    "explain": "Why a deployment decided as it did: alternatives, reasons, counterfactuals.",
    "compliance": "How one deployment stands to its limits and to what regulation asks, as a page.",
    "export": "Cells as Parquet or CSV; the leaderboard in LaTeX, numbers as macros.",
    "cite": "BibTeX of the software, a suite, its data and its methods.",
    "rerun": "Recompute one cell and compare exactly.",
    "verify-baseline": "Recompute random cells of a published baseline.",
    "submit-check": "Check a file of results that is to join a published baseline.",
    "new": "Write a file for a component of your own, with its test.",
    "check": "Run the contract tests on a component.",
    "arl": "Run length of a detector until its first alarm.",
    "calibrate": "Limit of a detector for a run length.",
    "corrupt": "Put errors into a data file, with the truth beside it.",
    "serving": "What served when in a deployment, who approved it, trained on which rows.",
    "export-registry": "Versions of a deployment to MLflow, OpenLineage, a model card.",
    "audit-log": "Record of a deployment: write, verify, prove.",
    "audit": "Audit a model trained on your own data for bias, as a page.",
    "repair": "Salvage the readable rows of a damaged ledger.",
    "completion": "Script for completion in bash, zsh or fish.",
    "doctor": "Show the environment and test that everything works.",
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is used, so that help stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import ``mlopsim.cli.commands.<name>`` (dashes as underscores) and return its ``command``."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"mlopsim.cli.commands.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is no such one."""
        if args and args[0] not in COMMANDS and args[0][:1] != "-" and not ctx.resilient_parsing:
            raise click.UsageError(f"no command '{args[0]}'{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names of commands without importing any."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        found = [(name, text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [CompletionItem(name, help=text) for name, text in found]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlopsim")
def group() -> None:
    """Simulate and benchmark AI-powered MLOps against exact oracles.

    \b
    Examples:
      mlopsim bench suite=quick
      mlopsim bench suite=delivery-core "methods=[never,{periodic: {every: 5}}]" seeds=30 workers=2
      mlopsim list selectors
      mlopsim report results/local/quick

    \b
    Exit status:
      0    done
      1    something failed or differs: cells, sections, checks, a promise, the numbers of two folders
      2    refused, with a remedy: nothing was changed
      70   a fault of mlopsim: run it again with --traceback
      130  interrupted: what is done is kept, the same command resumes
    """


def main() -> None:
    """Entry point: an error is one message with a remedy, and an exit status (``cli/error_messages.py``)."""
    if VARIABLE in os.environ:
        # a shell asks: how it does is known by then
        importlib.import_module("mlopsim.cli.completion")
    sys.exit(run(lambda: group.main(standalone_mode=False, complete_var=VARIABLE)))


if __name__ == "__main__":
    main()
