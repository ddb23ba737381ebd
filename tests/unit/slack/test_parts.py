"""Tokens at rest, pure rooms, the doctor, and lines that break."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from groundswell.config import load
from groundswell.slack.doctor import Doctor
from groundswell.slack.images import is_public, rungs
from groundswell.slack.inbound import Door, Meta
from groundswell.slack.linking import BadLink, ExpiredLink, Page, Signer, Ticket
from groundswell.slack.manifest import BOT_SCOPES, create_url, manifest
from groundswell.slack.outbound import Outbound
from groundswell.slack.service import Reply
from groundswell.slack.simulator import Failure, Simulator, World
from groundswell.slack.socket import Socket
from groundswell.slack.vault import Vault
from tests.slacking import House, open_house

TICKET = Ticket(Page.LINK_TEAM, 3, "U1", "C1", "general", "http://x/y", 4)


def test_tokens_are_unreadable_without_a_key_and_survive_rotation() -> None:
    locked = Vault(["old"]).lock("xoxb-secret")
    assert "xoxb" not in locked
    assert Vault(["new", "old"]).unlock(locked) == "xoxb-secret"
    assert Vault(["new"]).unlock(locked) is None


def test_signed_addresses_are_fresh_bound_to_their_page_and_survive_rotation() -> None:
    signer = Signer(["old"], "https://x.org")
    one, two = signer.url(TICKET), signer.url(TICKET)
    assert one != two
    signed = one.rstrip("/").rpartition("/")[2]
    read = Signer(["new", "old"], "https://x.org").read(Page.LINK_TEAM, signed)
    assert (read.slack_user, read.channel_name, read.org) == ("U1", "general", 4)
    with pytest.raises(BadLink):
        signer.read(Page.LINK_IDENTITY, signed)
    with pytest.raises(BadLink):
        Signer(["other"], "https://x.org").read(Page.LINK_TEAM, signed)
    with pytest.raises(ExpiredLink):
        Signer(["old"], "https://x.org", valid_s=-1).read(Page.LINK_TEAM, signed)


@pytest.mark.parametrize(
    ("setting", "base", "remembered", "expected"),
    [
        ("none", "https://x.org", None, ()),
        ("url", "http://127.0.0.1", None, ("url",)),
        ("file", "https://x.org", "url", ("file",)),
        ("auto", "https://x.org", None, ("url", "file")),
        ("auto", "https://x.org", "file", ("file", "url")),
        ("auto", "http://x.org", None, ("file",)),
        ("auto", "https://10.0.0.1", "url", ("file",)),
        ("auto", "https://host", None, ("file",)),
    ],
)
def test_the_rungs_of_the_ladder(
    setting: str, base: str, remembered: str | None, expected: tuple[str, ...]
) -> None:
    assert rungs(setting, base, remembered) == expected


def test_public_addresses() -> None:
    assert is_public("https://8.8.8.8")
    assert not is_public("https://gs.internal")


@pytest.mark.parametrize(
    "module", ["messages.incidents", "messages.unfurls", "messages.help", "links", "manifest"]
)
def test_pure_rooms_pull_in_no_sockets_stores_or_web_frameworks(module: str) -> None:
    code = (
        f"import sys, groundswell.slack.{module}\n"
        "bad = {'aiohttp', 'slack_sdk', 'sqlalchemy', 'litestar', 'chdb'} & set(sys.modules)\n"
        "sys.exit(f'pulled in {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_manifest_of_both_transports() -> None:
    http = manifest("https://gs.example.com", socket_mode=False)
    slack = "https://gs.example.com/extensions/slack"
    assert http["features"]["unfurl_domains"] == ["gs.example.com"]
    assert http["features"]["slash_commands"][0]["url"] == f"{slack}/commands/"
    assert http["settings"]["event_subscriptions"]["request_url"] == f"{slack}/event/"
    assert http["settings"]["interactivity"]["request_url"] == f"{slack}/action/"
    socket = manifest("https://gs.example.com", socket_mode=True)
    assert socket["settings"]["socket_mode_enabled"] is True
    assert "url" not in socket["features"]["slash_commands"][0]
    assert set(socket["oauth_config"]["scopes"]["bot"]) == set(BOT_SCOPES)
    assert create_url(socket).startswith("https://api.slack.com/apps?new_app=1&manifest_json=%7B")


async def test_the_doctor_names_the_broken_piece_and_its_fix() -> None:
    scopes = frozenset({"chat:write", "links:write", "files:write", "files:read", "users:read"})
    world = World(scopes=scopes)
    async with Simulator(world) as slack:
        outbound = Outbound(slack.api_url)
        doctor = Doctor(outbound, "xoxb-simulated", "https://gs.example.com", channel="C0001")
        found = {one.name: one for one in await doctor.examine()}
        assert {name for name, one in found.items() if not one.ok} == {"scopes"}
        assert "team:read" in found["scopes"].text
        assert "reinstall" in found["scopes"].fix
        world.behaviour.revoked.add("xoxb-simulated")
        (token, *_) = await doctor.examine()
        assert not token.ok
        await outbound.close()


async def test_a_broken_line_is_opened_again() -> None:
    arrived: list[Door] = []

    async def handle(door: Door, payload: Any, meta: Meta) -> Reply:
        arrived.append(door)
        return Reply()

    async with Simulator() as slack:
        settings = load({"SLACK_APP_TOKEN": "xapp-simulated"}, environ={})
        socket = Socket(settings, slack.api_url, handle, ping_s=0.1, watch_s=0.05)
        socket.start()
        await _acknowledged(slack, await slack.push("events_api", {}))
        await slack.drop_sockets()
        slack.world.behaviour.fail("apps.connections.open", Failure(status=500))
        await _acknowledged(slack, await slack.push("slash_commands", {}))
        await socket.stop()
    assert arrived == [Door.EVENT, Door.COMMAND]


async def _acknowledged(slack: Simulator, id: str) -> None:
    while id not in {one["envelope_id"] for one in slack.acknowledged}:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_the_token_of_the_settings_is_installed_when_its_organization_exists(
    engine: Any, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> None:
    settings = {"SLACK_BOT_TOKEN": "xoxb-settings", "SLACK_ORG": "acme"}
    world = World(team="T0002", bot_token="xoxb-settings")
    async with open_house(engine, tmp_path, slack_rows_project, world=world, **settings) as house:
        await asyncio.wait_for(_installed(house), 10)


async def _installed(house: House) -> None:
    while await house.slack.workspaces.find("T0002") is None:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
