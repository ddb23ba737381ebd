"""When did the level of a series change, by how much, and how sure is that? Pure numpy."""

from groundswell.trends.breakpoints.detector import detect, detect_many
from groundswell.trends.breakpoints.model import (
    Breakpoint,
    Change,
    Confidence,
    Finding,
    Kind,
    Reason,
    Tuning,
)

__all__ = [
    "Breakpoint",
    "Change",
    "Confidence",
    "Finding",
    "Kind",
    "Reason",
    "Tuning",
    "detect",
    "detect_many",
]
