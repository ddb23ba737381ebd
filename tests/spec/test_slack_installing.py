"""Who may answer in a workspace: by a token that Slack confirms, or an administrator there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from groundswell.errors import UserError
from groundswell.model.tenancy import Role
from groundswell.slack import admin
from groundswell.slack.simulator import Failure, Simulator
from groundswell.store.metadata import slack as rows
from groundswell.store.metadata import tenancy
from tests.slacking import KEYS, TOKEN, House

PLACE = {"org": "other", "team": "T0001"}


@pytest.fixture
async def proven(house: House) -> House:
    """A workspace whose token Slack has confirmed, and a second organization outside of it."""
    installation = house.run(rows.by_team, "T0001")
    await house.slack.workspaces.bot_user(installation)
    house.run(tenancy.create_organization, "other", now=datetime.now(UTC))
    assert house.run(rows.by_team, "T0001").health == "ok"
    return house


async def test_slack_says_whose_a_token_is() -> None:
    async with Simulator() as slack:
        told = await admin.ask_slack(slack.api_url, f" {TOKEN} ")
        assert told == admin.Told("T0001", "Simulated Workspace", "U0BOT")
        with pytest.raises(UserError, match=r"refuses this token \(invalid_auth\).*xoxb"):
            await admin.ask_slack(slack.api_url, "xoxb-wrong")
        slack.world.behaviour.fail("auth.test", Failure(status=503), Failure(body={"ok": True}))
        assert await admin.ask_slack(slack.api_url, TOKEN) is None
        assert await admin.ask_slack(slack.api_url, TOKEN) is None
        gone = slack.api_url
    assert await admin.ask_slack(gone, TOKEN) is None


def test_a_token_of_another_workspace_attaches_nothing(house: House) -> None:
    told = admin.Told("T0002", "Elsewhere", "U2")
    with pytest.raises(UserError, match=r"belongs to the workspace T0002 \(Elsewhere\), not to T"):
        house.run(admin.install, KEYS, org="acme", team="T0001", bot_token="xoxb-2", told=told)
    assert house.run(rows.by_team, "T0002") is None


async def test_an_installation_is_unverified_until_slack_was_asked(house: House) -> None:
    made = house.run(admin.install, KEYS, org="acme", team="T0777", bot_token="xoxb-7")
    assert made["health"] == "unverified"
    async with house.browse() as browser:
        shown = (await browser.get("/organizations/acme/settings/")).text
    assert "T0777 is not verified yet" in shown
    told = admin.Told("T0777", "Seven", "U7")
    made = house.run(admin.install, KEYS, org="acme", team="T0777", bot_token="xoxb-7", told=told)
    assert made["health"] == "ok"


async def test_a_second_organization_waits_for_its_proof(proven: House) -> None:
    workspaces, before = proven.slack.workspaces, proven.run(rows.by_team, "T0001")
    made = proven.run(admin.install, KEYS, **PLACE, bot_token="xoxb-second")
    after = proven.run(rows.by_team, "T0001")
    assert (made["health"], after.token, len(after.org_ids)) == ("unverified", before.token, 2)
    proven.simulator.world.tokens["xoxb-second"] = proven.simulator.world.tokens[TOKEN]
    await workspaces._prove({})
    assert proven.run(rows.by_team, "T0001").health == "ok"


async def test_a_foreign_token_takes_its_organization_out_and_leaves_the_others(
    proven: House,
) -> None:
    proven.run(admin.install, KEYS, **PLACE, bot_token="xoxb-foreign")
    await proven.slack.workspaces._prove({})
    installation = proven.run(rows.by_team, "T0001")
    assert (installation.org_ids, installation.health) == ((proven.org_id,), "ok")
    other = proven.run(tenancy.get_organization, "other")
    broken, _ = proven.run(rows.troubled_workspaces, other.id)
    assert broken == [("Simulated Workspace", "the token belongs to another workspace")]


async def test_who_holds_the_token_that_works_needs_no_other_proof(proven: House) -> None:
    assert proven.run(admin.install, KEYS, **PLACE, bot_token=TOKEN)["health"] == "ok"
    proven.run(admin.uninstall, **PLACE)
    assert proven.run(rows.by_team, "T0001").org_ids == (proven.org_id,)


async def test_an_administrator_linked_in_the_workspace_attaches(proven: House) -> None:
    other = proven.run(tenancy.get_organization, "other")
    with pytest.raises(UserError, match="no owner, manager or admin of other"):
        proven.run(admin.attach, **PLACE, user="ada@example.com")
    proven.run(tenancy.add_member, other.id, proven.ada.id, Role.ADMIN, now=datetime.now(UTC))
    with pytest.raises(UserError, match="is not linked in the Slack workspace T0001"):
        proven.run(admin.attach, **PLACE, user="ada@example.com")
    proven.identify()
    assert proven.run(admin.attach, **PLACE, user="ada@example.com")["health"] == "ok"
