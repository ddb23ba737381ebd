"""Identical questions in flight: asked once, cancelled with the last who waits."""

from __future__ import annotations

import asyncio

import pytest

from groundswell.stats.flights import Flights


class Question:
    """A question that answers when it is let go, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0
        self.let_go = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

        return self.asked


async def test_the_same_question_is_asked_once() -> None:
    flights, question = Flights[int](), Question()
    waiting = [asyncio.create_task(flights.share("key", question)) for _ in range(5)]
    await asyncio.sleep(0)
    question.let_go.set()

    assert await asyncio.gather(*waiting) == [1] * 5
    assert question.asked == 1


async def test_answers_are_not_kept() -> None:
    flights, question = Flights[int](), Question()
    question.let_go.set()

    assert await flights.share("key", question) == 1
    assert await flights.share("key", question) == 2


async def test_other_questions_fly_alone() -> None:
    flights, question = Flights[int](), Question()
    question.let_go.set()

    assert await asyncio.gather(flights.share("a", question), flights.share("b", question)) == [
        1,
        2,
    ]


async def test_one_who_leaves_does_not_take_the_answer_along() -> None:
    flights, question = Flights[int](), Question()
    leaving, staying = (asyncio.create_task(flights.share("key", question)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.wait([leaving])
    question.let_go.set()

    assert await staying == 1
    assert question.cancelled == 0


async def test_the_last_to_leave_cancels_the_question() -> None:
    flights, question = Flights[int](), Question()
    waiting = [asyncio.create_task(flights.share("key", question)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    await asyncio.sleep(0)

    assert question.cancelled == 1
    assert question.asked == 1


async def test_a_failure_reaches_everybody() -> None:
    flights = Flights[int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError("no")

    results = await asyncio.gather(
        flights.share("key", fail), flights.share("key", fail), return_exceptions=True
    )
    assert [type(result) for result in results] == [ValueError, ValueError]
    with pytest.raises(ValueError, match="no"):
        await flights.share("key", fail)
