"""`python -m groundswell` is the same as `groundswell`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line."""
    serves = sys.argv[1:2] == ["serve"]
    if serves or sys.argv[-1] in ("--help", "-h"):
        # Collecting while a thousand modules are imported is a tenth of the start; `serve`
        # turns it on again when it is ready.
        gc.disable()
    if serves:
        # structlog would import it, and pygments, to colour tracebacks in terminals.
        sys.modules["rich"] = None  # type: ignore[assignment]
        import structlog  # noqa: F401

        del sys.modules["rich"]
    from groundswell.cli import run

    run()


if __name__ == "__main__":
    main()
