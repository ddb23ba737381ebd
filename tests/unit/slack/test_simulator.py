"""The stand-in is as strict as Slack: what it would refuse there is refused here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from groundswell.slack.outbound import Outbound, SlackError
from groundswell.slack.simulator import Simulator
from groundswell.slack.simulator.block_kit import problems

TOKEN = "xoxb-simulated"
TEXT = {"type": "mrkdwn", "text": "x"}
LINK = "https://gs.example.com/a"

WRONG: list[dict[str, Any]] = [
    {"type": "video"},
    {"type": "section"},
    {"type": "section", "fields": []},
    {"type": "section", "text": {"type": "mrkdwn", "text": ""}},
    {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}},
    {"type": "section", "fields": [TEXT] * 11},
    {"type": "section", "text": {**TEXT, "emoji": True}},
    {"type": "header", "text": TEXT},
    {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
    {"type": "image", "image_url": "https://x.org/a.png"},
    {"type": "image", "alt_text": "x"},
    {"type": "image", "alt_text": "x", "slack_file": {"id": "f1"}},
    {"type": "image", "alt_text": "x" * 2001, "image_url": "https://x.org/a.png"},
    {"type": "image", "alt_text": "x", "image_url": "https://x.org/" + "a" * 3000},
    {"type": "context", "elements": []},
    {"type": "context", "elements": [TEXT] * 11},
    {"type": "actions", "elements": []},
    {"type": "actions", "elements": [{"type": "button", "text": TEXT}]},
    {"type": "actions", "elements": [{"type": "rocket"}]},
    {"type": "divider", "text": TEXT},
]


@pytest.mark.parametrize("block", WRONG)
def test_wrong_blocks_are_named(block: dict[str, Any]) -> None:
    assert problems([block])


def test_the_number_of_blocks_is_limited() -> None:
    assert problems([{"type": "divider"}] * 50) == []
    assert problems([{"type": "divider"}] * 51)
    assert problems({"type": "divider"})


@pytest.fixture
async def slack() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


@pytest.fixture
async def outbound(slack: Simulator) -> AsyncIterator[Outbound]:
    async def no_pause(_: float) -> None:
        return None

    client = Outbound(slack.api_url, pause=no_pause)
    yield client
    await client.close()


CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("chat.postMessage", {"channel": "C9", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C0001"}, "no_text"),
    ("chat.postMessage", {"channel": "C0001", "blocks": [{"type": "x"}]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "C0001", "text": "x", "thread_ts": "1"}, "thread_not_found"),
    ("chat.postEphemeral", {"channel": "C0001", "user": "U9", "text": "x"}, "user_not_in_channel"),
    ("chat.update", {"channel": "C0001", "ts": "1", "text": "x"}, "message_not_found"),
    ("chat.unfurl", {"channel": "C0001", "ts": "1", "unfurls": {LINK: {}}}, "cannot_find_message"),
    ("files.info", {"file": "F1"}, "file_not_found"),
    ("users.info", {"user": "U9"}, "user_not_found"),
    ("no.such.method", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "arguments", "error"), CALLS)
async def test_refusals(
    outbound: Outbound, method: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(SlackError) as caught:
        await outbound.call(TOKEN, method, **arguments)
    assert caught.value.error == error


async def test_tokens_and_scopes_are_checked(slack: Simulator, outbound: Outbound) -> None:
    for token, error in (("", "not_authed"), ("xoxb-other", "invalid_auth")):
        with pytest.raises(SlackError, match=error):
            await outbound.call(token, "auth.test")
    slack.world.tokens["xoxb-poor"] = frozenset()
    with pytest.raises(SlackError, match="missing_scope"):
        await outbound.call("xoxb-poor", "chat.postMessage", channel="C0001", text="x")


async def test_unfurls_are_for_links_of_the_message_only(
    slack: Simulator, outbound: Outbound
) -> None:
    message = slack.world.share("C0001", "U0001", LINK)
    target = {"channel": "C0001", "ts": message.ts}
    blocks = {"blocks": [{"type": "section", "text": TEXT}]}
    with pytest.raises(SlackError, match="cannot_unfurl_url"):
        await outbound.call(TOKEN, "chat.unfurl", **target, unfurls={LINK + "b": blocks})
    both = {**blocks, "text": "x"}
    with pytest.raises(SlackError, match="cannot_parse_attachment"):
        await outbound.call(TOKEN, "chat.unfurl", **target, unfurls={LINK: both})
    await outbound.call(TOKEN, "chat.unfurl", **target, unfurls={LINK: blocks})
    assert message.unfurls == {LINK: blocks}


async def test_images_are_fetched_as_slack_would(slack: Simulator, outbound: Outbound) -> None:
    async def post(**source: Any) -> str:
        block = {"type": "image", "alt_text": "x", **source}
        try:
            await outbound.call(TOKEN, "chat.postMessage", channel="C0001", blocks=[block])
        except SlackError as error:
            return str(error)
        return "ok"

    own = f"{slack.origin}/api/auth.test"
    assert "must be https" in await post(image_url=own)
    slack.world.behaviour.fetches_images = "any"
    assert "not an image" in await post(image_url=own)
    slack.world.behaviour.fetches_images = "never"
    assert "downloading image failed" in await post(image_url="https://x.org/a.png")
    assert "invalid slack file" in await post(slack_file={"id": "F123456789"})
    id = await outbound.upload(TOKEN, "a.png", b"bytes", "alt")
    assert await post(slack_file={"id": id}) == "ok"


async def test_a_file_that_slack_still_works_on_is_refused(
    slack: Simulator, outbound: Outbound
) -> None:
    now = [0.0]
    slack.world.clock = lambda: now[0]
    slack.world.behaviour.file_ready_after_s = 5.0
    id = await outbound.upload(TOKEN, "a.png", b"bytes", "alt")
    block = {"type": "image", "alt_text": "x", "slack_file": {"id": id}}
    message = {"channel": "C0001", "blocks": [block]}
    with pytest.raises(SlackError, match="invalid slack file"):
        await outbound.call(TOKEN, "chat.postMessage", **message)
    now[0] = 6.0
    assert await outbound.call(TOKEN, "chat.postMessage", **message)


async def test_one_message_per_second_and_channel(slack: Simulator, outbound: Outbound) -> None:
    now = [100.0]
    slack.world.clock = lambda: now[0]
    slack.world.behaviour.limits_messages = True
    await outbound.call(TOKEN, "chat.postMessage", channel="C0001", text="x")
    with pytest.raises(SlackError) as caught:
        await outbound.call(TOKEN, "chat.postMessage", tries=1, channel="C0001", text="x")
    assert caught.value.retry_after_s == 1.0
    now[0] += 1.1
    await outbound.call(TOKEN, "chat.postMessage", channel="C0001", text="x")
