"""``mlopsim completion``: the script that lets a shell complete."""

from __future__ import annotations

import click

from mlopsim.cli.once import Once


@click.command("completion", cls=Once)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script by which SHELL completes commands, options, key=value, suites, methods.

    \b
    Examples:
      mlopsim completion bash > ~/.mlopsim-completion.bash   # then: source it in ~/.bashrc
      mlopsim completion zsh > ~/.mlopsim-completion.zsh     # then: source it in ~/.zshrc
      mlopsim completion fish > ~/.config/fish/completions/mlopsim.fish
    """
    from mlopsim.cli.completion import script

    context = click.get_current_context().find_root()
    click.echo(script(shell, context.command))
