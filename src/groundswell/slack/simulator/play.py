"""Play Slack for a running service until stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from groundswell.slack.simulator.delivery import Sender
from groundswell.slack.simulator.page import Stage
from groundswell.slack.simulator.server import Simulator
from groundswell.slack.simulator.world import World


async def play(
    service_url: str,
    signing_secret: str,
    *,
    port: int,
    team: str,
    bot_token: str,
    begun: Callable[[str, str], None],
) -> None:
    """Serve the page and the API of one simulated workspace.

    begun: called with the addresses of the page and of the API once both answer.
    """
    world = World(team=team, bot_token=bot_token)
    simulator = Simulator(world, port=port)
    stage = Stage(simulator, Sender(world, service_url, signing_secret))
    await simulator.start(stage.routes())
    begun(f"{simulator.origin}/", simulator.api_url)
    try:
        await asyncio.Event().wait()
    finally:
        await simulator.stop()
