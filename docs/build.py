"""Build the site, without the network: ``python -m docs.build [FOLDER]``; the folder is ``build/site`` by default."""

from __future__ import annotations

import sys
from pathlib import Path

_DOCS = Path(__file__).resolve().parent


def main() -> int:
    """Build all pages; every warning is an error."""
    try:
        from sphinx.cmd.build import main as sphinx_build
    except ImportError:
        sys.stderr.write("error: the site is built by Sphinx\nhint: pip install '.[docs]'\n")
        return 2
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _DOCS.parent / "build" / "site"
    settled = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(_DOCS / "site"), "-d", str(folder / ".doctrees")]
    status: int = sphinx_build([*settled, str(_DOCS), str(folder)])
    return status


if __name__ == "__main__":
    sys.exit(main())
