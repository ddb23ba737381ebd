"""What is typed at the app, in direct messages and after the slash, and what it says."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, update

from groundswell.model.tenancy import Role, TeamRole
from groundswell.slack import admin
from groundswell.slack.simulator import Failure
from groundswell.slack.workspaces import REMEMBER_S
from groundswell.store.metadata import slack as slack_rows
from groundswell.store.metadata import slack_channels as channel_rows
from groundswell.store.metadata import slack_outbox as outbox_rows
from groundswell.store.metadata import tenancy
from tests.slacking import KEYS, TOKEN, House

IDENTITY = r"http://127\.0\.0\.1:\d+/extensions/slack/{page}/[\w.-]+/"


async def said(house: House, text: str) -> str:
    """Write a direct message and give the answer; "" when there is none."""
    before = len(house.calls("chat.postMessage"))
    (attempt,) = await house.sender.say(text)
    assert attempt.status == 200
    await house.settle()
    answers = house.calls("chat.postMessage")[before:]
    assert len(answers) <= 1
    return str(answers[0].args["text"]) if answers else ""


async def typed(house: House, text: str, **more: Any) -> str:
    answer = await house.sender.command(text, **more)
    assert answer.status == 200
    body = answer.json
    assert (body["response_type"], body["replace_original"]) == ("ephemeral", False)
    return str(body["text"])


def page_in(text: str, page: str) -> str:
    match = re.search(IDENTITY.format(page=page), text)
    assert match, text
    return match[0]


async def test_help_and_its_other_names(house: House) -> None:
    for word in ("help", "HELP me", "support", "docs"):
        answer = await said(house, word)
        assert "Here are the commands" in answer
        assert "Unknown" not in answer
    assert await said(house, "") == ""
    assert await said(house, "   ") == ""
    assert "Here are the commands" in await typed(house, "")
    names = re.findall(r"• `([a-z ]+)`", await typed(house, "help"))
    assert names == ["help", "link", "unlink", "incidents", "link team", "org", "unlink team"]


async def test_an_unknown_command_is_named_in_full_with_the_nearest(house: House) -> None:
    for ask in (said, typed):
        for typed_so in ("Likn *me* <now> & `x`", "Likn *me* &lt;now&gt; &amp; `x`"):
            answer = await ask(house, typed_so)
            assert "Unknown command: `Likn *me* &lt;now&gt; &amp; 'x'`" in answer
        assert "Did you mean `link`?" in answer
        assert "Here are the commands" in answer
    assert ("command", "unknown") in house.log()


async def test_link_and_unlink_depend_on_who_one_is(house: House) -> None:
    for ask in (said, typed):
        for word in ("link", "LINK please"):
            answer = await ask(house, word)
            assert "Link your Slack identity" in answer
            page_in(answer, "link-identity")
        assert "no linked identity" in await ask(house, "Unlink")
    house.identify()
    for ask in (said, typed):
        assert "already linked as `ada@example.com`" in await ask(house, "Link")
        page_in(await ask(house, "UNLINK"), "unlink-identity")


async def test_teams_are_linked_in_channels_only(house: House) -> None:
    for word in ("link team", "Unlink Team"):
        assert "works in a channel" in await said(house, word)
        assert "works in a channel" in await typed(house, word, channel_name="directmessage")


async def test_link_team_asks_for_identity_then_role(house: House) -> None:
    assert "Link your Slack identity first" in await typed(house, "link team")
    house.identify()
    assert "role is not sufficient" in await typed(house, "link team")
    _promote(house, Role.ADMIN)
    answer = await typed(house, "Link TEAM")
    page_in(answer, "link-team")
    assert "team" in answer
    page_in(await typed(house, "link team org:acme"), "link-team")
    assert "several organizations" in await typed(house, "link team org:nope")


async def test_unlink_team_asks_for_identity_team_and_role(house: House) -> None:
    assert "Link your Slack identity first" in await typed(house, "unlink team")
    house.identify()
    assert "No team is linked" in await typed(house, "unlink team")
    house.run(
        admin.link_team, org="acme", team="T0001", channel="C0001", channel_name="general",
        to_team="web",
    )  # fmt: skip
    assert "role is not sufficient" in await typed(house, "unlink team")
    _promote(house, Role.OWNER)
    assert "No team is linked" in await typed(house, "unlink team", channel_name="renamed")
    page_in(await typed(house, "unlink team"), "unlink-team")


@pytest.mark.parametrize(
    "event",
    [
        {"bot_id": "B1", "text": "help"},
        {"user": "U0BOT", "text": "help"},
        {"text": "help", "channel_type": "channel"},
        {"text": "help", "channel_type": None, "channel": "C0001"},
        {"text": None},
        {"subtype": "message_changed", "text": "help"},
    ],
)
async def test_not_every_message_is_meant_for_us(house: House, event: dict[str, Any]) -> None:
    base = {"type": "message", "channel": "D0001", "channel_type": "im", "user": "U0001"}
    full = {k: v for k, v in (base | event).items() if v is not None}
    assert (await house.sender.event(full))[-1].status == 200
    await house.settle()
    assert not house.said()


async def test_a_channel_that_begins_with_d_is_direct_where_slack_does_not_say(
    house: House,
) -> None:
    house.simulator.world.channels["D0001"] = {"id": "D0001", "is_im": True, "is_member": True}
    await house.sender.event(
        {"type": "message", "channel": "D0001", "user": "U0001", "text": "help"}
    )
    await house.settle()
    assert len(house.calls("chat.postMessage")) == 1


async def test_the_page_of_link_binds_once_and_tells_slack(house: House) -> None:
    url = page_in(
        await typed(house, "link", response_url=house.simulator.response_url()), "link-identity"
    )
    path = url.removeprefix(house.url)
    async with house.browse() as browser:
        page = await browser.get(path)
        assert page.status_code == 200
        assert "Ada Lovelace" in page.text
        assert "ada@example.com" in page.text
        assert (await browser.post(path)).status_code == 403
        assert (await browser.post(path, data={"csrf_token": "x"})).status_code == 403
        assert "no linked identity" in await typed(house, "unlink")
        form = {"csrf_token": token_in(page.text)}
        done = await browser.post(path, data=form)
        assert done.status_code == 200
        assert "linked" in done.text
        assert (await browser.get(path)).status_code == 410
        assert (await browser.post(path, data=form)).status_code == 410
        assert (await browser.put(path)).status_code == 405
        assert (await browser.options(path)).status_code == 405
    assert "already linked" in await typed(house, "link")
    (told,) = house.simulator.world.responses
    assert "good to go" in told[1]["text"]


async def test_the_page_of_unlink_forgets_who_one_is(house: House) -> None:
    house.identify()
    path = page_in(await said(house, "unlink"), "unlink-identity").removeprefix(house.url)
    async with house.browse() as browser:
        page = await browser.get(path)
        done = await browser.post(path, data={"csrf_token": token_in(page.text)})
        assert done.status_code == 200
    assert "no linked identity" in await said(house, "unlink")
    told = [call.args["text"] for call in house.calls("chat.postMessage")]
    assert any("not linked any more" in text for text in told)


async def test_pages_want_a_login_and_the_right_person(house: House) -> None:
    path = page_in(await typed(house, "link"), "link-identity").removeprefix(house.url)
    house.person("eve@example.com", None)
    async with house.browse("eve@example.com") as eve:
        assert (await eve.get(path)).status_code == 404
        assert (await eve.post(path)).status_code == 404
        eve.cookies.clear()
        answer = await eve.get(path)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith("/login/?next=")


async def test_forged_foreign_and_expired_links(house: House) -> None:
    path = page_in(await typed(house, "link"), "link-identity").removeprefix(house.url)
    house.slack.signer._valid_s = -1
    async with house.browse() as browser:
        for kind, status in (("link-identity", 200), ("link-team", 400)):
            expired = await browser.get(path.replace("link-identity", kind))
            assert (expired.status_code, "expired" in expired.text) == (status, True)
            assert "Type the command again" in expired.text
            assert "csrf_token" not in expired.text
        house.slack.signer._valid_s = 900
        for other in (path[:-3] + "A/", path.replace("link-identity", "link-team")):
            shown = await browser.get(other)
            assert "Link expired" in shown.text
            assert "csrf_token" not in shown.text
            assert "Link expired" in (await browser.post(other)).text
        assert (await browser.get(path + "x/")).status_code == 404
        assert (await browser.get("/extensions/slack/nothing/abc/")).status_code == 404


async def test_the_pages_of_teams(house: House) -> None:
    house.identify()
    _promote(house, Role.MANAGER)
    path = page_in(await typed(house, "link team"), "link-team").removeprefix(house.url)
    team = house.run(tenancy.get_team, house.org_id, "web")
    async with house.browse() as browser:
        page = await browser.get(path)
        form = {"csrf_token": token_in(page.text)}
        assert (await browser.post(path, data=form)).status_code == 400
        assert (await browser.post(path, data={**form, "team": "999"})).status_code == 404
        done = await browser.post(path, data={**form, "team": str(team.id)})
        assert "web" in done.text
        again = page_in(await typed(house, "link team"), "link-team").removeprefix(house.url)
        form = {"csrf_token": token_in((await browser.get(again)).text), "team": str(team.id)}
        assert "already linked" in (await browser.post(again, data=form)).text
        gone = page_in(await typed(house, "unlink team"), "unlink-team").removeprefix(house.url)
        form = {"csrf_token": token_in((await browser.get(gone)).text)}
        assert (await browser.post(gone, data=form)).status_code == 200
    assert "No team is linked" in await typed(house, "unlink team")


async def test_the_prompts_buttons_are_counted_and_remove_it(house: House) -> None:
    for value in ("link", "ignore"):
        payload = {
            "user": {"id": "U0001"},
            "channel": {"id": "C0001"},
            "actions": [{"action_id": value, "value": value}],
            "response_url": house.simulator.response_url(),
        }
        assert (await house.sender.press(payload)).status == 200
        await house.settle()
    assert [data["action"] for _, data in house.analytics()] == ["link", "ignore"]
    assert [body for _, body in house.simulator.world.responses] == [{"delete_original": True}] * 2


def token_in(page: str) -> str:
    match = re.search(r'name="csrf_token" value="(\w+)"', page)
    assert match, page
    return match[1]


def _promote(house: House, role: Role) -> None:
    house.run(tenancy.add_member, house.org_id, house.ada.id, role, now=datetime.now(UTC))


async def test_the_organization_is_the_channels_the_only_one_or_the_one_named(house: House) -> None:
    house.identify()
    _promote(house, Role.OWNER)
    other = house.run(tenancy.create_organization, "other", now=datetime.now(UTC))
    house.run(tenancy.add_member, other.id, house.ada.id, Role.MEMBER, now=datetime.now(UTC))
    house.run(admin.install, KEYS, org="other", team="T0001", bot_token=TOKEN)
    await asyncio.sleep(REMEMBER_S)
    asked = await typed(house, "link team")
    page_in(asked, "link-team")
    assert "`org:acme`, `org:other`" in asked
    assert "role is not sufficient" in await typed(house, "link team org:other")
    assert "several organizations" not in await typed(house, "link team ORG:acme")
    house.run(
        admin.link_team, org="acme", team="T0001", channel="C0001", channel_name="general",
        to_team="web",
    )  # fmt: skip
    assert "several organizations" not in await typed(house, "link team")
    assert "No team is linked" in await typed(house, "unlink team org:other")


async def test_an_answer_that_slack_does_not_take_is_sent_again(house: House) -> None:
    down = [Failure(status=503, headers={"Retry-After": "9"})]
    house.simulator.world.behaviour.fail("chat.postMessage", *down)
    await house.sender.say("help")
    await house.settle()
    assert ("reply", "postponed") in house.log()
    house.run(lambda c: c.execute(update(outbox_rows.outbox).values(due_at=datetime.now(UTC))))
    assert "Here are the commands" in await _answered(house)
    assert ("reply", "ok") in house.log()


async def test_a_prompt_that_stays_is_seen_in_the_log(house: House) -> None:
    gone = house.simulator.response_url().replace("/resp", "/gone")
    payload = {"actions": [{"action_id": "link", "value": "link"}], "response_url": gone}
    assert (await house.sender.press({**payload, "user": {"id": "U0001"}})).status == 200
    await house.settle()
    assert ("delete_original", "failed") in house.log()


async def test_an_admin_of_a_team_links_and_unlinks_that_team_alone(house: House) -> None:
    house.identify()
    now = datetime.now(UTC)
    web = house.run(tenancy.get_team, house.org_id, "web")
    api = house.run(tenancy.create_team, house.org_id, "api", now=now)
    house.run(tenancy.add_team_member, web, house.ada.id, TeamRole.ADMIN)
    house.run(tenancy.add_team_member, api, house.ada.id)
    place = {"org": "acme", "team": "T0001", "channel": "C0001", "channel_name": "general"}
    house.run(admin.link_team, **place, to_team="api")
    assert "role is not sufficient" in await typed(house, "unlink team")
    async with house.browse() as browser:
        path = page_in(await typed(house, "link team"), "link-team").removeprefix(house.url)
        page = await browser.get(path)
        assert re.findall(r"<option value=\"(\d+)\">", page.text) == [str(web.id)]
        form = {"csrf_token": token_in(page.text)}
        foreign = await browser.post(path, data={**form, "team": str(api.id)})
        assert foreign.status_code == 404
        linked = await browser.post(path, data={**form, "team": str(web.id)})
        assert linked.status_code == 200
        gone = page_in(await typed(house, "unlink team"), "unlink-team").removeprefix(house.url)
        form = {"csrf_token": token_in((await browser.get(gone)).text)}
        assert "web" in (await browser.post(gone, data=form)).text
    installation = house.run(slack_rows.by_team, "T0001")
    left = house.run(channel_rows.teams_in_channel, installation.id, "C0001")
    assert [team.team_slug for team in left] == ["api"]


async def test_a_channel_means_the_organization_that_somebody_chose(house: House) -> None:
    assert "Link your Slack identity first" in await typed(house, "org")
    house.identify()
    _promote(house, Role.OWNER)
    now = datetime.now(UTC)
    other = house.run(tenancy.create_organization, "other", now=now)
    for refused in ("org attach other", "org attach nobody", "org default other"):
        assert "no owner, manager or admin" in await typed(house, refused)
    house.run(tenancy.add_member, other.id, house.ada.id, Role.ADMIN, now=now)
    assert "`other` is not attached" in await typed(house, "org default other")
    assert "`other` answers" in await said(house, "Org Attach OTHER")
    await asyncio.sleep(REMEMBER_S)
    assert "works in a channel" in await said(house, "org default other")
    assert "`acme`, `other`" in await typed(house, "org")
    assert "`org default SLUG`" in await typed(house, "org what")
    assert "`org:acme`, `org:other`" in await typed(house, "link team")
    assert "organization is `other` now" in await typed(house, "org default org:other")
    assert "organization is `other`" in await typed(house, "org")
    assert "`org:acme`" not in await typed(house, "link team")
    place = {"org": "acme", "team": "T0001", "channel": "C0001", "channel_name": "general"}
    house.run(admin.link_team, **place, to_team="web")
    assert "organization is `other`" in await typed(house, "org")
    assert "does not answer" in await typed(house, "org detach other")
    await asyncio.sleep(REMEMBER_S)
    assert "organization" in await typed(house, "org")
    assert "`other`" not in await typed(house, "org")
    assert house.run(slack_rows.by_team, "T0001").org_ids == (house.org_id,)


async def test_unlink_team_asks_where_teams_of_several_organizations_are_linked(
    house: House,
) -> None:
    house.identify()
    now = datetime.now(UTC)
    _promote(house, Role.OWNER)
    other = house.run(tenancy.create_organization, "other", now=now)
    house.run(tenancy.add_member, other.id, house.ada.id, Role.OWNER, now=now)
    house.run(tenancy.create_team, other.id, "ops", now=now)
    house.run(admin.attach, org="other", team="T0001", user="ada@example.com")
    place = {"team": "T0001", "channel": "C0001", "channel_name": "general"}
    house.run(admin.link_team, org="acme", **place, to_team="web")
    house.run(admin.link_team, org="other", **place, to_team="ops")
    await asyncio.sleep(REMEMBER_S)
    installation = house.run(slack_rows.by_team, "T0001")
    page_in(await typed(house, "unlink team"), "unlink-team")  # the default: the first one linked
    house.run(lambda c: c.execute(delete(slack_rows.channel_orgs)))
    assert "`org:acme`, `org:other`" in await typed(house, "unlink team")
    page_in(await typed(house, "unlink team ORG:other"), "unlink-team")
    assert len(house.run(channel_rows.teams_in_channel, installation.id, "C0001")) == 2


async def _answered(house: House) -> str:
    house.slack.queue._wake.set()
    while not any(message.text for message in house.simulator.world.messages):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return str(house.simulator.world.messages[-1].text)
