"""Run the sessions of pages and put into them what is printed: ``python -m tests.docs.renew [--all] PAGE...``.

Only output that differs from what the page shows is replaced, so cuts (``...``) stay where they are right. With ``--all``
ids, dates and sizes are made new too, in every output that is shown without a cut.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.docs import pages, session


def main() -> None:
    """Renew the pages that are named."""
    everything = "--all" in sys.argv
    for page in [Path(name) for name in sys.argv[1:] if name != "--all"]:
        text = page.read_text()
        lines = text.splitlines()
        with tempfile.TemporaryDirectory() as folder:
            played = [
                (step, tuple(printed.replace(f"{folder}/work/", ".../").splitlines()), step.matches(printed))
                for step, printed in session.play(text, Path(folder))
            ]
        changed = [
            (step, printed)
            for step, printed, right in played
            if not right or (everything and step.shown != printed and not _cut(step))
        ]
        for step, printed in reversed(changed):
            lines[step.first - 1 : step.last - 1] = printed
        page.write_text("\n".join(lines) + "\n")
        print(f"{page}: {len(changed)} outputs renewed")


def _cut(step: pages.Step) -> bool:
    return any(line.strip() == "..." or line.endswith(("...", '..."')) for line in step.shown)


if __name__ == "__main__":
    main()
