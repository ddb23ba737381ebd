"""What takes long to find is answered from memory and found again."""

from __future__ import annotations

import asyncio

import pytest

from groundswell.stats.renewed import Renewed


async def test_what_is_fresh_is_not_looked_for_again() -> None:
    now, looks = [0.0], [0]
    known: Renewed[str, int] = Renewed(clock=lambda: now[0])

    async def look() -> int:
        looks[0] += 1
        return looks[0]

    assert [await known.get("a", look), await known.get("a", look)] == [1, 1]
    assert await known.get("b", look) == 2
    now[0] = 1.0
    assert await known.get("a", look) == 3


async def test_who_asks_while_it_takes_long_gets_the_older_answer() -> None:
    now = [0.0]
    known: Renewed[str, str] = Renewed(clock=lambda: now[0])
    found = asyncio.Event()

    async def at_once() -> str:
        return "old"

    async def slowly() -> str:
        await found.wait()
        return "new"

    assert await known.get("a", at_once) == "old"
    now[0] = 1.0
    assert await known.get("a", slowly) == "old"
    found.set()
    assert await known.get("a", slowly) == "new"


async def test_a_failure_is_told_once_and_not_remembered() -> None:
    now = [0.0]
    known: Renewed[str, int] = Renewed(clock=lambda: now[0])

    async def fail() -> int:
        raise ValueError("away")

    async def look() -> int:
        return 1

    with pytest.raises(ValueError, match="away"):
        await known.get("a", fail)
    assert await known.get("a", look) == 1
    now[0] = 1.0
    assert await known.get("a", fail) == 1
