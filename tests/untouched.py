"""Names the modules of textgen of which tests ran too little to notice that they are broken.

python tests/untouched.py coverage.json
"""

import json
import sys
from pathlib import Path

LEAST = 50.0  # per cent of a module's lines; to import it runs fewer
# they run in processes of their own, which are not counted
PROGRAMS = {"textgen/__main__.py", "textgen/ui/app/__main__.py"}


def untouched(files):
    """The lines to print. files: of the report of coverage, by their paths."""
    shares = {path: file["summary"]["percent_covered"] for path, file in files.items()}
    unknown = {str(path) for path in Path("textgen").rglob("*.py")} - set(shares)
    few = {path: share for path, share in shares.items() if share < LEAST and path not in PROGRAMS}
    return sorted(f"{path}: {share:.0f} % of its lines" for path, share in few.items()) + sorted(
        f"{path}: not seen at all" for path in unknown
    )


if __name__ == "__main__":
    lines = untouched(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["files"])
    print("\n".join(lines) or "make test touches every module")
    sys.exit(bool(lines))
