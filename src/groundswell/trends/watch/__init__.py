"""The scan that runs by itself: what changed is recorded once, checked again, told, summed up."""

from __future__ import annotations

from groundswell.trends.watch.digest import digest_of
from groundswell.trends.watch.runner import Watch

__all__ = ["Watch", "digest_of"]
