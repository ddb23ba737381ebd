"""What the HTTP door of Slack answers to what, in the order in which it looks."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from groundswell.slack import admin
from tests.slacking import House

EVENT, COMMANDS = "/extensions/slack/event/", "/extensions/slack/commands/"
ACTION, OPTIONS = "/extensions/slack/action/", "/extensions/slack/options-load/"
OURS: dict[str, Any] = {"team_id": "T0001", "type": "event_callback", "event_id": "Ev1"}


async def post(
    house: House, path: str, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    signed = house.sender.signed(body) if headers is None else headers
    async with (
        aiohttp.ClientSession() as session,
        session.post(house.url + path, data=body, headers=signed) as answer,
    ):
        return answer.status, await answer.read()


def encoded(payload: object) -> bytes:
    return json.dumps(payload).encode()


def form(payload: object) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


SIGNATURES: dict[str, dict[str, str]] = {
    "no headers": {},
    "no signature": {"X-Slack-Request-Timestamp": "NOW"},
    "no time stamp": {"X-Slack-Signature": "GOOD"},
    "wrong signature": {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=00"},
    "wrong version": {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v1=GOOD"},
    "late": {"X-Slack-Request-Timestamp": "-330", "X-Slack-Signature": "GOOD"},
    "early": {"X-Slack-Request-Timestamp": "+330", "X-Slack-Signature": "GOOD"},
    "word": {"X-Slack-Request-Timestamp": "abc", "X-Slack-Signature": "GOOD"},
    "empty": {"X-Slack-Request-Timestamp": "", "X-Slack-Signature": "GOOD"},
    "endless": {"X-Slack-Request-Timestamp": "1" * 5000, "X-Slack-Signature": "GOOD"},
    "not ASCII": {"X-Slack-Request-Timestamp": "NOW", "X-Slack-Signature": "v0=\u00fc\u00df"},
    "other digits": {"X-Slack-Request-Timestamp": "\u00b2", "X-Slack-Signature": "GOOD"},
}


async def test_a_request_that_is_not_slacks_is_401_at_every_door(house: House) -> None:
    for body in (encoded(OURS), b"\xff\xfe", b""):
        for name, row in SIGNATURES.items():
            at = int(time.time())
            shift = row.get("X-Slack-Request-Timestamp", "")
            if shift[:1] in {"+", "-"}:
                at += int(shift)
            good = house.sender.signed(body, at=at)
            stamp, signature = good.values()
            words = {"NOW": stamp, "GOOD": signature, "v1=GOOD": signature.replace("v0", "v1")}
            words |= {"-330": stamp, "+330": stamp}
            headers = {k: words.get(v, v) for k, v in row.items()}
            for path in (EVENT, COMMANDS, ACTION, OPTIONS):
                assert (await post(house, path, body, headers))[0] == 401, (name, path)


REFUSED: list[tuple[str, bytes, int]] = [
    (EVENT, b"", 400),
    (EVENT, b"{", 400),
    (EVENT, b"[]", 400),
    (EVENT, b"\xff", 400),
    (EVENT, b'"text"', 400),
    (EVENT, b"[" * 100_000, 400),
    (EVENT, encoded({}), 403),
    (EVENT, encoded({"team_id": "T9999", "event": {"type": "message"}}), 403),
    (EVENT, encoded({"team_id": ["T0001"]}), 403),
    (EVENT, encoded(OURS), 400),
    (EVENT, encoded({**OURS, "event": "x"}), 400),
    (EVENT, encoded({**OURS, "event": {}}), 400),
    (EVENT, encoded({**OURS, "event": {"type": "message"}}), 200),
    (EVENT, encoded({"team": {"id": "T0001"}, "event": {"type": "emoji_changed"}}), 200),
    (EVENT, encoded({"team_id": "T0001", "type": "app_rate_limited"}), 200),
    (
        EVENT,
        encoded({**OURS, "event": {"type": "message", "channel_type": "im", "text": "Link"}}),
        400,
    ),
    (
        EVENT,
        encoded({**OURS, "event": {"type": "message", "channel": "D1", "text": "unlink"}}),
        400,
    ),
    (
        EVENT,
        encoded({**OURS, "event": {"type": "message", "channel": "C1", "text": "link"}}),
        200,
    ),
    (ACTION, b"payload", 400),
    (ACTION, b"a=b", 400),
    (ACTION, b"payload=%7B", 400),
    (ACTION, form({}), 403),
    (ACTION, form({"team": {"id": "T0001"}}), 200),
    (ACTION, form({"team": {"id": "T0001"}, "actions": [1, {"value": "docs"}]}), 200),
    (OPTIONS, form({"team": {"id": "T0001"}}), 200),
    (OPTIONS, form({"team": {"id": "T0002"}}), 403),
    (COMMANDS, b"", 400),
    (COMMANDS, b"team_id", 400),
    (COMMANDS, b"text=help", 400),
    (COMMANDS, b"team_id=T0001&text=%FF", 400),
    (COMMANDS, b"team_id=T0001&text=link", 400),
    (COMMANDS, b"team_id=T0001&text=", 200),
]


async def test_statuses_in_the_order_of_looking(house: House) -> None:
    for path, body, expected in REFUSED:
        status, _ = await post(house, path, body)
        assert status == expected, (path, body[:80])


async def test_a_challenge_is_echoed_only_when_signed(house: House) -> None:
    body = encoded({"type": "url_verification", "challenge": "abc", "token": "x"})
    status, answer = await post(house, EVENT, body)
    assert (status, json.loads(answer)) == (200, {"challenge": "abc"})
    assert (await post(house, EVENT, body, {}))[0] == 401


async def test_a_command_from_an_unknown_workspace_is_told_to_reinstall(house: House) -> None:
    status, answer = await post(house, COMMANDS, b"team_id=T404&text=help&user_id=U&channel_id=C")
    told = json.loads(answer)
    assert status == 200
    assert told["response_type"] == "ephemeral"
    assert "uninstalled" in told["text"]
    assert told["blocks"][1]["elements"][0]["type"] == "button"


@pytest.mark.parametrize("path", [EVENT, COMMANDS, ACTION, OPTIONS])
async def test_other_methods_are_405(house: House, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"):
            async with session.request(method, house.url + path) as answer:
                assert answer.status == 405


async def test_an_installation_counts_at_once(house: House) -> None:
    body = encoded({"team_id": "T0777", "event": {"type": "x"}})
    assert (await post(house, EVENT, body))[0] == 403
    house.run(admin.install, ("k",), org="acme", team="T0777", bot_token="xoxb-2")
    assert (await post(house, EVENT, body))[0] == 200
