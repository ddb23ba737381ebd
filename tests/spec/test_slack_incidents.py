"""Incidents in Slack: links unfurl, buttons act with the role of the presser, a command lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from groundswell.alerts.telling import announce, tell_suspect
from groundswell.model.alerts import Incident, Level, Rule
from groundswell.slack.alerts import AlertLinks, IncidentButtons
from groundswell.slack.links import Kind
from groundswell.slack.notices import SlackNotices
from groundswell.store.metadata import alerts, incidents, notify
from tests.slacking import House
from tests.unit.alerts.builders import rule

STARTED = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


async def no_chart(*_: Any) -> None:
    return None


class Alarm:
    """A rule on the project `shop` with one open incident."""

    def __init__(self, house: House) -> None:
        self.house = house
        links = AlertLinks(house.metadata, house.slack.ladder, no_chart)
        house.slack.unfurler.handlers[Kind.ALERT] = links.unfurl
        IncidentButtons(house.metadata).register(house.slack)
        made = rule(100, org_id=house.org_id, projects=(house.projects["shop"],))
        self.rule: Rule = house.run(alerts.create_rule, made)
        incident = Incident(
            0, house.org_id, 0, self.rule.id, self.rule.name, "", Level.CRITICAL, STARTED,
            STARTED, value=150.0,
        )  # fmt: skip
        self.incident: Incident = house.run(incidents.open_incident, incident, self.rule)

    def link(self, query: str = "") -> str:
        return f"{self.house.url}/organizations/acme/alerts/rules/details/{self.rule.id}/{query}"

    def now(self) -> Incident:
        found: Incident = self.house.run(
            incidents.find_incident, self.house.org_id, self.incident.number
        )
        return found

    async def press(self, action: str, value: str, user: str = "U0001") -> str:
        payload = {
            "type": "block_actions",
            "team": {"id": "T0001"},
            "user": {"id": user},
            "channel": {"id": "C0001"},
            "container": {"message_ts": "1.0"},
            "actions": [{"action_id": action, "value": value}],
        }
        answer = await self.house.sender.press(payload)
        await self.house.settle()
        return str(answer.status)


@pytest.fixture
def alarm(house: House) -> Alarm:
    return Alarm(house)


async def test_a_link_to_a_rule_shows_its_state_to_everybody(alarm: Alarm) -> None:
    message = await alarm.house.shared(alarm.link("?alert=1"))
    (entry,) = message.unfurls.values()
    assert entry["color"] == "#FA4747"
    text = entry["blocks"][0]["text"]["text"]
    assert "*Critical: High errors*" in text
    assert text.endswith("\n150 events in the last 5 minutes")


async def test_a_link_without_incident_tells_the_latest_and_resolved_says_nothing_more(
    alarm: Alarm,
) -> None:
    from dataclasses import replace

    alarm.house.run(incidents.change_incident, replace(alarm.incident, closed_at=STARTED))
    message = await alarm.house.shared(alarm.link())
    (entry,) = message.unfurls.values()
    assert entry["color"] == "#4DC771"
    assert entry["blocks"][0]["text"]["text"].endswith("*Resolved: High errors*>")


@pytest.mark.parametrize("query", ["?alert=999", "?alert=x"])
async def test_what_is_not_there_leaves_no_trace(alarm: Alarm, query: str) -> None:
    message = await alarm.house.shared(alarm.link(query))
    assert message.unfurls == {}


async def test_buttons_act_with_the_role_of_the_presser(alarm: Alarm) -> None:
    house = alarm.house
    value = f"acme:{alarm.incident.number}"
    await alarm.press("incident.acknowledge", value)
    assert alarm.now().acknowledged_at is None
    house.person("eve@example.com", None)
    house.identify_directly("U0002", "eve@example.com")
    await alarm.press("incident.acknowledge", value, "U0002")
    assert alarm.now().acknowledged_at is None
    house.identify()
    await alarm.press("incident.acknowledge", value)
    assert alarm.now().acknowledged_by == house.ada.id
    await alarm.press("incident.mute::4", f"{value}:4")
    muted = alarm.now().muted_until
    assert muted is not None
    assert 3.9 < (muted - datetime.now(UTC)).total_seconds() / 3600 <= 4


async def test_the_command_lists_what_is_wrong(alarm: Alarm) -> None:
    answer = await alarm.house.sender.command("incidents")
    assert "Critical" not in answer.json["text"]
    alarm.house.identify()
    answer = await alarm.house.sender.command("incidents")
    assert "*Critical: High errors*" in answer.json["text"]


async def test_a_notice_is_a_message_of_the_channel(alarm: Alarm) -> None:
    house = alarm.house
    house.run(announce, alarm.rule, alarm.incident, "acme", datetime.now(UTC))
    (delivery,) = house.run(notify.waiting)
    sender = SlackNotices(house.slack.incidents, no_chart)
    for _ in range(2):
        await sender.send(delivery)
    await _until(lambda: bool(house.simulator.world.messages))
    (message,) = house.simulator.world.messages
    assert "Critical: High errors" in message.text
    assert (message.attachments[0]["color"], message.is_broadcast) == ("#FA4747", False)


async def test_a_suspect_is_told_and_edited_in_when_it_comes_late(alarm: Alarm) -> None:
    house = alarm.house
    house.run(announce, alarm.rule, alarm.incident, "acme", datetime.now(UTC))
    sender = SlackNotices(house.slack.incidents, no_chart)
    (delivery,) = house.run(notify.waiting)
    await sender.send(delivery)
    await _until(lambda: bool(house.simulator.world.messages))
    house.run(notify.settle, delivery.id, "sent", "ok", datetime.now(UTC))
    found = {"release": "shop@1.1", "explanation": "count() rose <5 %> at 10:00 UTC"}
    house.run(tell_suspect, alarm.rule, alarm.now(), found, "acme", datetime.now(UTC))
    (edit,) = house.run(notify.waiting)
    await sender.send(edit)
    await _until(lambda: bool(house.calls("chat.update")))
    (message,) = house.simulator.world.messages
    (told,) = [b for b in message.attachments[0]["blocks"] if b["type"] == "context"]
    assert told["elements"][0]["text"] == (
        "*Suspect*: new release shop@1.1; count() rose &lt;5 %&gt; at 10:00 UTC"
    )


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
