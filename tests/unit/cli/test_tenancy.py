"""Who is in a team, and which workspaces are whose: the commands, in this process."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from groundswell.cli import slack
from groundswell.cli.tenancy import create_org, create_team, create_user, team_member, team_members
from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import TeamRole
from groundswell.slack.simulator import Simulator

EMAILS = ("ada@example.com", "eve@example.com")


@pytest.fixture
def data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    create_org("acme", data=tmp_path)
    for email in EMAILS:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        create_user(email, org="acme", data=tmp_path)
    create_team("acme", "web", member=EMAILS[:1], admin=EMAILS[1:], data=tmp_path)
    capsys.readouterr()
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return msgspec.json.decode(capsys.readouterr().out)


def roles(data: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    team_members("acme", "web", data=data, json=True)
    return [f"{each['email'][:3]} {each['role']}" for each in told(capsys)]


def test_a_team_has_admins(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert roles(data, capsys) == ["ada contributor", "eve admin"]
    create_team("acme", "web", member=EMAILS, data=data)
    team_member("acme", "web", EMAILS[0], role=TeamRole.ADMIN, data=data)
    capsys.readouterr()
    assert roles(data, capsys) == ["ada admin", "eve admin"]
    team_member("acme", "web", EMAILS[1], remove=True, data=data)
    capsys.readouterr()
    assert roles(data, capsys) == ["ada admin"]
    with pytest.raises(UserError, match="is not in the team web"):
        team_member("acme", "web", EMAILS[1], remove=True, data=data)


def test_a_workspace_without_a_proof_says_so(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place: dict[str, Any] = {"org": "acme", "team": "T1", "data": data, "json": True}
    slack.install(**place, bot_token="xoxb-1", verify=False)
    assert told(capsys)["health"] == "unverified"
    slack.list_(data=data, json=True)
    (listed,) = told(capsys)
    assert (listed["health"], listed["unproven"]) == ("unverified", ["acme"])
    slack.channel_org(**place, channel="C1")
    capsys.readouterr()
    slack.channel_org(data=data, json=True)
    assert told(capsys) == [{"team": "T1", "channel": "C1", "org": "acme"}]
    with pytest.raises(UserError, match="no owner, manager or admin of acme"):
        slack.attach(**place, user=EMAILS[0])
    with pytest.raises(NotFound):
        slack.attach(**{**place, "team": "T2"}, user=EMAILS[0])


async def test_installing_asks_slack(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Simulator() as simulator:
        monkeypatch.setenv("GROUNDSWELL_SLACK_API_URL", simulator.api_url)
        token: dict[str, Any] = {"bot_token": "xoxb-simulated", "data": data, "json": True}
        await asyncio.to_thread(slack.install, org="acme", team="T0001", **token)
        assert told(capsys)["health"] == "ok"
        with pytest.raises(UserError, match="belongs to the workspace T0001"):
            await asyncio.to_thread(slack.install, org="acme", team="T0002", **token)
