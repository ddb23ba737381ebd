"""What an explanation says, in one sentence that people read first."""

from __future__ import annotations

from datetime import UTC, datetime

from groundswell.stats.decode import UNKNOWN_ISSUE
from groundswell.trends.rows import Row

_WORTH_TELLING = 0.3
_FLAT = 0.005
_MORE_THAN_USUAL = 0.1


def sentence(answer: Row) -> str:
    """Say how much, when, with which release, and where most of it is."""
    return "; ".join(clauses(answer))


def clauses(answer: Row) -> list[str]:
    """Give the parts of the sentence: what happened, and then what is said of it."""
    before, after = answer["before"]["value"], answer["after"]["value"]
    at = datetime.fromtimestamp(answer["breakpoint"], UTC)
    verb = "fell" if (after or 0) < (before or 0) else "rose"
    if before is None and after is None:
        return ["There are no values on either side."]

    is_flat = _is_flat(before, after)
    moved = "hardly changed" if is_flat else f"{verb}{_by(before, after)}"
    parts = [f"{answer['function']} {moved} at {at:%H:%M} UTC on {at:%Y-%m-%d}"]
    if answer["releases"]:
        release = answer["releases"][0]
        seen = datetime.fromtimestamp(release["first_seen"], UTC)
        day = "" if seen.date() == at.date() else f" on {seen:%Y-%m-%d}"
        parts.append(f"release {release['version']} first seen {seen:%H:%M}{day}")
    cause = None if is_flat else _leading(answer["causes"])
    if cause is not None:
        share = f"{min(cause['share_of_change'], 1.0) * 100:.0f} %"
        noun = "fall" if verb == "fell" else "rise"
        # What spans take adds up to the mean, whatever the function.
        of = " of the mean" if cause["kind"] == "span" and answer["basis"] != "mean" else ""
        parts.append(f"{share} of the {noun}{of} is in {_named(cause)}")
    return parts


def _leading(causes: list[Row]) -> Row | None:
    """Choose what to name: spans before columns, and a release only where nothing else tells."""

    def rank(cause: Row) -> tuple[int, float]:
        order = {"span": 0, "release": 2}.get(cause["kind"], 1)
        return (order, -cause["share_of_change"])

    worth = [each for each in causes if _tells(each)]
    return min(worth, key=rank, default=None)


def _tells(cause: Row) -> bool:
    """Tell whether a cause has much of the change, and more of it than of the events anyway."""
    share = cause["share_of_change"] or 0.0
    if share < _WORTH_TELLING or (cause["kind"] == "issue" and cause["value"] == UNKNOWN_ISSUE):
        return False

    # A span has no share of events; an issue is what happened.
    usual = max(cause.get("share_before") or 0.0, cause.get("share_after") or 0.0)
    return cause["kind"] in ("span", "issue", "release") or share - usual >= _MORE_THAN_USUAL


def _named(cause: Row) -> str:
    if cause["kind"] == "span":
        return f"`{cause['op'] or 'other'}` spans `{cause['description'] or '(none)'}`"

    return f"{cause['kind']} `{cause['value'] or '(none)'}`"


def _is_flat(before: float | None, after: float | None) -> bool:
    """Tell whether the levels are so near that parts of their difference say nothing."""
    if before is None or after is None:
        return False

    return abs(after - before) < _FLAT * max(abs(before), abs(after)) or before == after


def _by(before: float | None, after: float | None) -> str:
    if not before or after is None:
        return ""

    return f" {abs(after / before - 1) * 100:.0f} %"
