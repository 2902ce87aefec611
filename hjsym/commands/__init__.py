"""The commands of `hjsym`, a module each: `add` says what it takes, `run` gives its report.

Modules import what computes inside `run`, so that help, usage errors and completion do not wait for it.
"""
