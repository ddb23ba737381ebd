"""A strict stand-in for Slack's servers over real sockets, for tests, the demo and a page.

It checks what Slack checks (tokens, scopes, Block Kit limits, images that it can fetch, files that
are ready, links that are in the message, one message per second and channel), delivers signed
events with Slack's deadline and resends, and misbehaves on demand.
"""

from groundswell.slack.simulator.delivery import Delivery, Sender
from groundswell.slack.simulator.server import Simulator
from groundswell.slack.simulator.world import Behaviour, Failure, Message, World

__all__ = ["Behaviour", "Delivery", "Failure", "Message", "Sender", "Simulator", "World"]
