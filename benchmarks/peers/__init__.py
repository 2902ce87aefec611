"""Peers, one family of packages a file. A file imports its packages at the top, so that a missing one shows."""
