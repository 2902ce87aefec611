"""`hjsym completion`: a script that completes commands, options and files in a shell."""

import argparse

__all__ = ["add"]

_SHELLS = ("bash", "zsh", "fish")


def add(commands, whole: argparse.ArgumentParser) -> None:
    """The command, which completes all that `whole` takes."""
    parser = commands.add_parser(
        "completion",
        help="print a script that completes hjsym in bash, zsh or fish",
        description="Print a script that completes hjsym in a shell.",
        epilog=(
            "examples:\n  hjsym completion bash\n\n"
            'in ~/.bashrc: eval "$(hjsym completion bash)"\n'
            'in ~/.zshrc, after compinit: eval "$(hjsym completion zsh)"\n'
            "in ~/.config/fish/config.fish: hjsym completion fish | source"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell that will read the script")
    parser.set_defaults(run=lambda options: _print_script(whole, options.shell))


def _print_script(whole: argparse.ArgumentParser, shell: str) -> int:
    try:
        import shtab
    except ImportError:
        from tropical.errors import InputError

        raise InputError(
            "shtab, which writes the script, is not installed; install hjsym[terminal]"
        ) from None
    print(shtab.complete(whole, shell))
    return 0
