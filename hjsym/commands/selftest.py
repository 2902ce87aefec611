"""`hjsym selftest`: whether this copy computes what it should, on this machine."""

from hjsym.commands.arguments import add_command

__all__ = ["add", "run"]


def add(commands) -> None:
    add_command(
        commands,
        "selftest",
        run,
        "check that this copy of the library computes what it should, in a few seconds",
        "hjsym selftest",
    )


def run(options):
    from hjsym.reports.selftest import selftest_report

    return selftest_report()
