"""ClickHouse error codes → our error tree. Texts name the limit and say what to do."""

from __future__ import annotations

import re

from groundswell.errors import QueryTooHeavy, StoreError, StoreUnavailable

_HEAVY = {
    159: "The question took longer than the time limit of {timeout_s} s.",
    160: "The question would take longer than the time limit of {timeout_s} s.",
    241: "The question needs more than the memory limit of {memory_mb} MB.",
    202: "Too many questions are being answered at the same time.",
    396: "The answer has more than the limit of {rows} rows.",
    158: "The question reads more rows than the limit.",
    307: "The question reads more bytes than the limit.",
}
ADVICE = " Ask for a shorter period, fewer projects or a narrower search."
_AWAY = {
    243: "There is no space left on the disk of the event store.",
    252: "The event store is behind with merging parts.",
    210: "The event store does not answer.",
    209: "The event store does not answer in time.",
    279: "The event store does not answer.",
    999: "The coordination service of the event store fails.",
    242: "The table is read-only for the moment.",
    394: "The question was cancelled because the store is closing.",
}
RESULT_ROWS = 1_000_000


def translate(error: Exception, *, timeout_s: float, memory_mb: int) -> StoreError:
    """Say in our terms what a client of the engine raised."""
    code = getattr(error, "code", None)
    code = code if isinstance(code, int) else _code_in(str(error))
    if code in _HEAVY:
        text = _HEAVY[code].format(
            timeout_s=f"{timeout_s:g}", memory_mb=memory_mb, rows=RESULT_ROWS
        )
        return QueryTooHeavy(text + ADVICE, engine_code=code)

    if code in _AWAY:
        return StoreUnavailable(_AWAY[code], engine_code=code)

    if code is None and type(error).__name__ in {"OperationalError", "ConnectionError"}:
        return StoreUnavailable("The event store cannot be reached.")

    return StoreError(_first_line(error), engine_code=code)


def _code_in(text: str) -> int | None:
    found = re.search(r"\bCode: (\d+)\b", text)
    return int(found.group(1)) if found else None


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:1000] if text else type(error).__name__
