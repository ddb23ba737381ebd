"""Slack misbehaves, or somebody pretends to be it: rows 34 to 38 of the list of faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groundswell.demo.service import ServiceProcess
from groundswell.model.tenancy import ProjectId, Role
from groundswell.slack import admin
from groundswell.slack.inbound import Door, Meta
from groundswell.slack.messages.incidents import Incident
from groundswell.slack.outbound import SlackError
from groundswell.slack.queue import Outgoing, Queue
from groundswell.slack.simulator import Failure, Sender, Simulator
from groundswell.store.data_directory import DataDirectory
from groundswell.store.engine import Engine
from groundswell.store.metadata import Metadata, slack_inbox, tenancy
from groundswell.store.metadata import slack as slack_rows
from groundswell.store.metadata import slack_outbox as outbox
from tests.slacking import KEYS, SECRET, TOKEN, House, open_house

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
PARTS = st.fixed_dictionaries(
    {"team_id": st.just("T0001")},
    optional={
        "type": st.sampled_from(["event_callback", "url_verification", "app_rate_limited"]),
        "event_id": st.text(max_size=200) | JSON_VALUES,
        "authorizations": JSON_VALUES,
        "actions": JSON_VALUES,
        "challenge": JSON_VALUES,
        "user": JSON_VALUES,
        "text": JSON_VALUES,
        "event": st.dictionaries(
            st.sampled_from(
                ["type", "channel", "user", "links", "text", "message_ts", "source", "bot_id"]
            ),
            JSON_VALUES | st.sampled_from(["message", "link_shared", "D1", "U0001", "link"]),
        ),
    },
)


@given(
    stamp=st.text(max_size=20) | st.none(),
    signature=st.text(max_size=80) | st.none(),
    body=st.binary(max_size=200),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_34_nothing_unsigned_is_more_than_a_401(
    house: House, stamp: str | None, signature: str | None, body: bytes
) -> None:
    for door in Door:
        reply = await house.slack.receive(door, stamp, signature, body, Meta())
        assert reply.status == 401


@given(payload=PARTS)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_34_no_signed_body_is_a_failure_of_ours(
    house: House, payload: dict[str, Any]
) -> None:
    for door in Door:
        reply = await house.slack.handle(door, payload, Meta())
        assert reply.status < 500
        json.dumps(reply.body)
    await house.settle()


@pytest.mark.parametrize(
    "failures",
    [
        [
            Failure(
                status=429, headers={"Retry-After": "0"}, body={"ok": False, "error": "ratelimited"}
            )
        ],
        [Failure(status=500), Failure(status=503)],
        [Failure("drop")],
        [Failure(body={"ok": False, "error": "ratelimited"})],
    ],
)
async def test_37_what_passes_is_tried_again(house: House, failures: list[Failure]) -> None:
    house.identify()
    house.simulator.world.behaviour.fail("chat.unfurl", *failures)
    message = await house.shared(house.link())
    assert message.unfurls
    assert len(house.calls("chat.unfurl")) == len(failures) + 1


async def test_37_a_long_retry_after_is_not_waited_for_inside_the_work(house: House) -> None:
    house.identify()
    failure = Failure(status=429, headers={"Retry-After": "300"})
    house.simulator.world.behaviour.fail("chat.unfurl", failure)
    message = await house.shared(house.link())
    assert not message.unfurls
    assert ("text", "failed") in house.log()


async def test_37_a_dead_token_marks_the_installation(house: House) -> None:
    house.identify()
    house.simulator.world.behaviour.revoked.add("xoxb-simulated")
    await house.shared(house.link())
    assert house.run(slack_rows.by_team, "T0001").broken == "token_revoked"
    house.run(admin.install, KEYS, org="acme", team="T0001", bot_token="xoxb-new")
    assert house.run(slack_rows.by_team, "T0001").broken is None


@pytest.mark.parametrize("kind", ["app_uninstalled", "tokens_revoked"])
async def test_37_slack_says_that_the_app_is_gone(house: House, kind: str) -> None:
    await house.sender.event({"type": kind})
    await house.settle()
    assert house.run(slack_rows.by_team, "T0001").broken == kind
    async with house.browse() as browser:
        shown = await browser.get("/organizations/acme/settings/")
    assert "does not work any more" in shown.text
    assert kind in shown.text


async def test_37_a_chart_that_cannot_be_drawn_leaves_the_text(
    engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> None:
    async with open_house(engine, tmp_path, slack_rows_project, SLACK_IMAGES="file") as house:
        house.identify()
        await house.slack.previewer._renderer.close()
        message = await house.shared(house.link())
        assert "otal" in str(message.unfurls)
        assert ("draw", "failed") in house.log()


async def test_38_only_slacks_addresses_are_answered() -> None:
    from groundswell.slack.outbound import Outbound

    outbound = Outbound("https://slack.com/api/")
    for url in (
        "http://hooks.slack.com/x",
        "https://hooks.slack.com.evil.com/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/x",
        "https://hooks.slack.com:8443/x",
        "https://hooks.slack.com@evil.com/",
        "file:///etc/passwd",
        "https://[::ffff:10.0.0.1]/",
        "",
    ):
        with pytest.raises(SlackError, match="foreign_address"):
            await outbound.respond(url, {})
    assert outbound.may_respond_to("https://hooks.slack.com/commands/T1/2/3")


@pytest.fixture
async def quick(
    engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> AsyncIterator[House]:
    async with open_house(engine, tmp_path, slack_rows_project) as house:
        house.slack.queue._spacing_s = 0.0
        yield house


async def until(house: House, *states: str) -> list[dict[str, Any]]:
    """Wait until every message is in one of the states, and give what is undelivered."""
    while True:
        rows = house.run(outbox.waiting)
        if not rows or ("postponed" in states and all(row.attempts for row in rows)):
            return list(house.run(outbox.undelivered))
        await asyncio.sleep(0.02)


def outgoing(house: House, key: str, **more: Any) -> Outgoing:
    installation = house.run(slack_rows.by_team, "T0001")
    return Outgoing(key, installation.id, "C0001", {"text": key}, **more)


async def test_messages_of_a_channel_keep_their_order_and_come_once(quick: House) -> None:
    queue = quick.slack.queue
    quick.simulator.world.behaviour.fail("chat.postMessage", Failure(status=500))
    for key in ("one", "two", "three"):
        assert await queue.send(outgoing(quick, key))
    assert not await queue.send(outgoing(quick, "one"))
    assert await until(quick) == []
    texts = [m.text for m in quick.simulator.world.messages]
    assert texts == ["one", "two", "three"]


async def test_a_look_that_began_before_a_delivery_ended_repeats_nothing(
    quick: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = quick.slack.queue
    metadata = queue._workspaces.metadata
    run = metadata.run

    async def slow(function: Any, *arguments: Any, **named: Any) -> Any:
        """Give what waits only after it was delivered, and have the queue look while it is."""
        found = await run(function, *arguments, **named)
        if function is outbox.waiting:
            queue._wake.set()
            while queue._channels:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return found

    monkeypatch.setattr(metadata, "run", slow)
    await queue.send(outgoing(quick, "once"))
    await until(quick)
    await queue._look()
    assert [m.text for m in quick.simulator.world.messages] == ["once"]


async def test_two_processes_send_each_message_once(quick: House) -> None:
    mine, other = quick.slack.queue, Queue(quick.slack.workspaces, spacing_s=0.0)
    mine._is_alone = other._is_alone = False
    other.start()
    try:
        for number in range(8):
            await mine.send(outgoing(quick, f"message {number}"))
            other._wake.set()
        await until(quick)
    finally:
        await other.stop()
    texts = [m.text for m in quick.simulator.world.messages]
    assert texts == [f"message {number}" for number in range(8)]


async def test_a_message_outlives_an_outage_and_is_seen_in_the_log(quick: House) -> None:
    broken = Failure(status=429, headers={"Retry-After": "3600"})
    quick.simulator.world.behaviour.fail("chat.postMessage", broken)
    await quick.slack.queue.send(outgoing(quick, "late"))
    (row,) = await until(quick, "postponed")
    assert (row["key"], row["state"], row["attempts"]) == ("late", "waiting", 1)
    assert ("message", "postponed") in quick.log()


async def test_what_slack_will_never_take_is_given_up_and_visible(quick: House) -> None:
    quick.simulator.world.channels["C0001"]["is_archived"] = True
    await quick.slack.queue.send(outgoing(quick, "gone"))
    (row,) = await until(quick)
    assert row["state"] == "failed"
    assert "is_archived" in row["answer"]


async def test_an_incident_lives_in_one_thread(quick: House) -> None:
    incident = Incident("acme", 7, "Errors", 12, "Critical", "count()", 60, 5.0, datetime.now(UTC))
    from dataclasses import replace

    for status in ("Critical", "Warning", "Critical", "Resolved"):
        key = f"{status}-{len(quick.simulator.world.messages)}"
        told = replace(incident, status=status)
        assert await quick.slack.incidents.send(quick.org_id, "C0001", told, key=key)
        assert not await quick.slack.incidents.send(quick.org_id, "C0001", told, key=key)
        assert await until(quick) == []
    parent, *replies = quick.simulator.world.messages
    assert [reply.thread_ts for reply in replies] == [parent.ts] * 3
    assert [reply.is_broadcast for reply in replies] == [False, True, False]
    assert "Resolved" in parent.text
    assert parent.edits == 3
    assert not quick.simulator.world.refusals


async def test_a_message_refused_for_its_picture_is_sent_without(quick: House) -> None:
    installation = quick.run(slack_rows.by_team, "T0001")
    image = {"type": "image", "image_url": "http://10.0.0.1/x.png", "alt_text": "x"}
    text = {"type": "section", "text": {"type": "mrkdwn", "text": "still here"}}
    arguments = {"text": "t", "attachments": [{"blocks": [text, image]}]}
    await quick.slack.queue.send(Outgoing("k", installation.id, "C0001", arguments))
    assert await until(quick) == []
    (message,) = quick.simulator.world.messages
    assert message.attachments == [{"blocks": [text]}]


async def test_socket_mode_feeds_the_same_door_and_survives_a_broken_line(
    engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> None:
    settings = {"SLACK_APP_TOKEN": "xapp-simulated"}
    async with open_house(engine, tmp_path, slack_rows_project, **settings) as house:
        house.identify()
        simulator = house.simulator
        message = simulator.world.share("C0001", "U0001", house.link())
        event = {
            "type": "link_shared",
            "user": "U0001",
            "channel": "C0001",
            "message_ts": message.ts,
            "links": [{"url": house.link()}],
        }
        payload = house.sender.envelope(event, event_id="EvSocket")
        command = {"team_id": "T0001", "text": "help", "user_id": "U0001", "channel_id": "C0001"}
        first = await simulator.push("events_api", payload)
        again = await simulator.push("events_api", payload, retry_attempt=1, retry_reason="timeout")
        asked = await simulator.push("slash_commands", command)
        pressed = await simulator.push("interactive", {"team": {"id": "T0001"}, "actions": []})
        answers = await acknowledged(simulator, first, again, asked, pressed)
        assert "Here are the commands" in answers[asked]["payload"]["text"]
        await house.settle()
        assert message.unfurls
        assert len(house.calls("chat.unfurl")) == 1

        await simulator.refresh_sockets()
        late = await simulator.push("slash_commands", command)
        await acknowledged(simulator, late)


async def acknowledged(simulator: Any, *ids: str) -> dict[str, Any]:
    while True:
        found = {a["envelope_id"]: a for a in simulator.acknowledged}
        if set(ids) <= set(found):
            return found
        await asyncio.sleep(0.02)


async def test_35_an_event_that_was_acknowledged_outlives_the_process(tmp_path: Path) -> None:
    async with Simulator() as simulator:
        settings = {"SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": simulator.api_url}
        service = ServiceProcess(tmp_path / "data", settings={**settings, "SLACK_IMAGES": "none"})
        project = _occupied(service.data)
        await asyncio.to_thread(service.start)
        try:
            sender = Sender(simulator.world, service.url, SECRET)
            simulator.world.behaviour.fail("chat.unfurl", Failure("hang"))
            url = f"/organizations/acme/discover/results/?project={project}&statsPeriod=24h"
            await sender.share(service.url + url, event_id="EvKilled")
            message = simulator.world.messages[-1]
            while not simulator.world.called("chat.unfurl"):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            service.kill()
            assert not message.unfurls
            service._port = int(service.url.rpartition(":")[2])
            await asyncio.to_thread(service.start)
            while not message.unfurls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            event = {"type": "link_shared", "links": []}
            (again,) = await sender.event(event, event_id="EvKilled")
            assert again.status == 200
        finally:
            await asyncio.to_thread(service.stop)
    answered = [call for call in simulator.world.called("chat.unfurl") if call.answer.get("ok")]
    assert len(answered) == len(message.unfurl_history) == 1
    metadata = Metadata.open(f"sqlite:///{service.data / 'metadata.db'}")
    with metadata.begin() as connection:
        assert slack_inbox.unfinished(connection) == []
    metadata.close()


def _occupied(data: Path) -> ProjectId:
    """Fill a new data directory with an organization that is installed and linked."""
    keys, now = DataDirectory(data).secret_keys("", shared_database=False), datetime.now(UTC)
    metadata = Metadata.open(f"sqlite:///{data / 'metadata.db'}")
    metadata.migrate()
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=now)
        project = tenancy.create_project(connection, org.id, "shop", now=now)
        ada = tenancy.create_user(connection, "ada@example.com", now=now)
        tenancy.add_member(connection, org.id, ada.id, Role.OWNER, now=now)
        place = {"org": "acme", "team": "T0001"}
        admin.install(connection, keys, **place, bot_token=TOKEN)
        admin.link_identity(connection, **place, slack_user="U0001", user=ada.email)
    metadata.close()
    return project.id


async def test_35_what_a_process_left_is_done_at_once_by_the_next_and_not_too_late(
    house: House,
) -> None:
    """A message for each fate: left unfinished, hours old, begun too often."""
    await house.slack.inbox.stop()
    house.simulator.world.channels["D0001"] = {"id": "D0001", "is_im": True, "is_member": True}
    now = datetime.now(UTC)
    for id, age_s, attempts in (("EvLeft", 60, 1), ("EvOld", 7200, 1), ("EvOften", 60, 3)):
        event = {"type": "message", "channel": "D0001", "user": "U0001", "text": "help"}
        payload = json.dumps(house.sender.envelope(event, event_id=id))
        one = slack_inbox.Accepted(id, "event", payload, now - timedelta(seconds=age_s), attempts)
        house.run(slack_inbox.accept, one, now + timedelta(minutes=5))
    house.slack.inbox.start(house.slack._take_up)
    while house.run(slack_inbox.unfinished):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await house.settle()
    assert [call.args["channel"] for call in house.calls("chat.postMessage")] == ["D0001"]
    assert sorted(house.log()) == [
        ("reply", "ok"),
        ("taken up again", "ok"),
        ("taken up again", "skipped"),
        ("taken up again", "skipped"),
    ]


async def test_37_what_slack_could_not_take_is_unfurled_later(house: House) -> None:
    house.identify()
    failure = Failure(status=429, headers={"Retry-After": "30"})
    house.simulator.world.behaviour.fail("chat.unfurl", failure)
    message = await house.shared(house.link(), event_id="EvLater")
    assert not message.unfurls
    later = datetime.now(UTC) + timedelta(seconds=31)
    while not (due := house.run(slack_inbox.take_due, later, later)):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await house.slack._take_up(due[0])
    await house.settle()
    assert message.unfurls
