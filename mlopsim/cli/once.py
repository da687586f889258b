"""Commands that take each option once: click keeps the last of several in silence."""

from __future__ import annotations

from collections import Counter

import click


class Once(click.Command):
    """A command that refuses an option with one value that is given several times.

    Options that may be repeated collect a list; a flag that is given twice says what it says once. All
    commands are of this class (a test goes through them).
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, once more than click does: to see what is repeated.

        Raises
        ------
        click.UsageError
            Names the option.
        """
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for option, times in Counter(order).items():
                if times > 1 and isinstance(option, click.Option) and not _collects(option):
                    raise click.UsageError(
                        f"{option.opts[-1]} is given {times} times and takes one value: keep one of them", ctx
                    )
        return super().parse_args(ctx, args)


def _collects(option: click.Option) -> bool:
    """Say whether nothing is lost if an option is repeated."""
    return option.multiple or option.count or (option.is_flag and not option.secondary_opts)
