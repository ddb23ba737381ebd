"""`python -m groundswell` is the same as `groundswell`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from groundswell.cli import run

    run()


if __name__ == "__main__":
    main()
