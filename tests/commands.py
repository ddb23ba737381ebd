"""Commands of the command line run in this process, which is much quicker than starting one."""

from __future__ import annotations

import contextlib
import io
import sys

from groundswell import cli


class Failed(Exception):
    """Raised when a command ends with an exit code other than 0; the text is what it said."""


def run(*arguments: str) -> str:
    """Run one command and give what it printed. Raises Failed."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    said = io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            cli.run(list(arguments))
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
    if code:
        raise Failed(said.getvalue())

    buffer = out.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
