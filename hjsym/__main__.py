"""``python -m hjsym`` is the command `hjsym`."""

import sys

from hjsym.cli import main

if __name__ == "__main__":
    sys.exit(main())
