"""link_shared → what the channel sees."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from groundswell.model.trends import Trend
from groundswell.slack import admin
from groundswell.slack.simulator import Failure
from groundswell.store.engine import Engine
from groundswell.store.metadata import slack, tenancy
from groundswell.store.metadata.dashboards import Widget, create_dashboard
from groundswell.store.metadata.issues import Sighting, record_batch
from groundswell.store.metadata.saved_queries import create_saved_query
from groundswell.store.metadata.trends import add_trend
from tests.rows import every, insert
from tests.slacking import KEYS, TOKEN, House, open_house


def words(message: Any) -> str:
    return str([body["blocks"] for body in message.unfurls.values()])


async def test_a_link_unfurls_under_the_address_as_received(house: House) -> None:
    house.identify()
    message = await house.shared(house.link("yAxis=count()&query=message:Boom"))
    (url,) = message.links
    assert "&amp;" in url
    said = message.unfurls[url]["blocks"][0]["text"]["text"]
    assert "count() · message:Boom · last 24h" in said
    assert "otal 1" in said
    assert "█" in said


@pytest.mark.parametrize(
    "display", ["default", "previous", "top5", "top5line", "daily", "dailytop5", "bar", "line"]
)
async def test_every_display_unfurls(house: House, display: str) -> None:
    house.identify()
    fields = "field=title&field=count()&yAxis=count()&query=message:Boom"
    message = await house.shared(house.link(f"{fields}&display={display}"))
    assert "otal 1" in words(message)
    assert not house.simulator.world.refusals


async def test_all_links_of_a_message_are_one_call_each_once(house: House) -> None:
    house.identify()
    one, two = house.link("yAxis=count()"), house.link("yAxis=count_unique(user)")
    other = one.replace(house.url, "https://elsewhere.example")
    message = await house.shared(one, two, one, other)
    assert len(message.unfurls) == 2
    assert len(house.calls("chat.unfurl")) == 1


async def test_a_hundred_links_unfurl(house: House) -> None:
    house.identify()
    message = await house.shared(*(house.link(f"yAxis=count()&name=n{i}") for i in range(100)))
    assert len(message.unfurls) == 100


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.link("yAxis=nonsense()"),
        lambda h: h.link("query=(("),
        lambda h: h.link(org="unknown"),
        lambda h: h.link().replace(str(h.projects["shop"]), str(h.projects["secret"])),
        lambda h: h.link().replace("results", "nothing"),
        lambda h: h.link("statsPeriod=zzz").replace("statsPeriod=24h&", ""),
    ],
)
async def test_what_cannot_unfurl_leaves_no_public_trace(house: House, change: Any) -> None:
    house.identify()
    await house.shared(change(house))
    assert not house.calls("chat.unfurl")
    assert not house.calls("chat.postMessage")


async def test_the_sharer_alone_is_told_why_a_query_was_refused(house: House) -> None:
    house.identify()
    await house.shared(house.link("yAxis=nonsense()"))
    (told,) = house.calls("chat.postEphemeral")
    assert told.args["user"] == "U0001"
    assert "nonsense" in str(told.args["blocks"])


async def test_a_stranger_to_the_organization_is_told_nothing(house: House) -> None:
    house.person("eve@example.com", None)
    house.identify_directly("U0001", "eve@example.com")
    await house.shared(house.link(), house.link("yAxis=nonsense()"))
    assert not house.said()


async def test_an_unlinked_sharer_is_asked_to_link_with_a_fresh_address(house: House) -> None:
    first = (await house.shared(house.link())).auth_prompt["user_auth_url"]
    second = (await house.shared(house.link())).auth_prompt["user_auth_url"]
    assert first.startswith(f"{house.url}/extensions/slack/link-identity/")
    assert first != second
    assert not house.calls("chat.postMessage")
    name, data = house.analytics()[0]
    assert (name, data["unfurls_count"]) == ("integrations.slack.chart_unfurl", 0)


async def test_where_slack_cannot_ask_the_prompt_is_ephemeral(house: House) -> None:
    refusal = Failure(body={"ok": False, "error": "cannot_prompt"})
    house.simulator.world.behaviour.fail("chat.unfurl", refusal)
    await house.shared(house.link())
    (told,) = house.calls("chat.postEphemeral")
    link, cancel = told.args["blocks"][1]["elements"]
    assert (link["value"], cancel["value"]) == ("link", "ignore")


async def test_nobody_is_asked_without_a_channel_or_in_the_composer(house: House) -> None:
    message = house.simulator.world.share("C0001", "U0001", house.link())
    event = {"type": "link_shared", "user": "U0001", "message_ts": message.ts}
    links = [{"url": house.link(), "domain": "x"}]
    await house.sender.event({**event, "links": links})
    composer = {"channel": "COMPOSER", "source": "composer", "unfurl_id": message.ts}
    await house.sender.event({**event, **composer, "links": links})
    await house.settle()
    assert not house.said()


async def test_the_composer_gets_text_by_its_own_target(house: House) -> None:
    house.identify()
    message = house.simulator.world.share("C0001", "U0001", house.link())
    await house.sender.event(
        {
            "type": "link_shared",
            "user": "U0001",
            "channel": "COMPOSER",
            "message_ts": "draft",
            "source": "composer",
            "unfurl_id": message.ts,
            "links": [{"url": house.link(), "domain": "x"}],
        }
    )
    await house.settle()
    (call,) = house.calls("chat.unfurl")
    assert call.args["unfurl_id"] == message.ts
    assert message.unfurls


async def test_a_resent_event_is_handled_once(house: House) -> None:
    house.identify()
    message = house.simulator.world.share("C0001", "U0001", house.link())
    event = {
        "type": "link_shared",
        "user": "U0001",
        "channel": "C0001",
        "message_ts": message.ts,
        "links": [{"url": house.link()}],
    }
    for _ in range(3):
        await house.sender.event(event, event_id="EvSame")
    await house.settle()
    house.slack.inbox._in_hand.clear()  # as after a restart
    await house.sender.event(event, event_id="EvSame")
    await house.settle()
    assert len(house.calls("chat.unfurl")) == 1


async def test_our_own_links_do_not_unfurl(house: House) -> None:
    house.identify("U0BOT")
    await house.shared(house.link(), user="U0BOT")
    assert not house.calls("chat.unfurl")


async def test_names_are_hidden_from_other_companies(house: House) -> None:
    house.identify()
    message = house.simulator.world.share("C0001", "U0001", house.link("x"))
    query = "field=title&field=count()&display=top5&query=title:Boom"
    url = house.link(query)
    message.links[:] = [url]
    payload = house.sender.envelope(
        {
            "type": "link_shared",
            "user": "U0001",
            "channel": "C0001",
            "message_ts": message.ts,
            "links": [{"url": url}],
        }
    )
    body = json.dumps({**payload, "is_ext_shared_channel": True}).encode()
    await house.sender.post("/extensions/slack/event/", body, "application/json")
    await house.settle()
    (shown,) = message.unfurls.values()
    assert ":lock:" in str(shown)
    assert "project shop" not in str(shown)


@pytest.fixture
async def drawing(
    engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> AsyncIterator[House]:
    async with open_house(engine, tmp_path, slack_rows_project, SLACK_IMAGES="auto") as opened:
        opened.identify()
        yield opened


async def test_the_chart_takes_the_place_of_the_text_and_never_loses_it(drawing: House) -> None:
    house, behaviour = drawing, drawing.simulator.world.behaviour
    message = await house.shared(house.link())
    text, chart = message.unfurl_history
    (before,), (after,) = text.values(), chart.values()
    assert [b["type"] for b in before["blocks"]] == ["section", "context"]
    image = after["blocks"][1]
    assert image["slack_file"]["id"] in house.simulator.world.files
    assert "total" in image["alt_text"]
    content = house.simulator.world.files[image["slack_file"]["id"]].content
    assert content is not None
    assert content.startswith(b"\x89PNG")

    behaviour.slack_file_in_unfurl = False
    message = await house.shared(house.link("name=second"))
    assert len(message.unfurl_history) == 1
    assert "otal" in words(message)

    behaviour.fail("chat.unfurl", Failure(body={"ok": False, "error": "token_revoked"}))
    await house.shared(house.link("name=third"))
    found = house.run(slack.by_team, "T0001")
    assert found.broken == "token_revoked"


async def test_an_image_by_address_is_fetched_by_slack_and_can_be_revoked(
    engine: Engine, tmp_path: Path, slack_rows_project: tuple[int, int]
) -> None:
    async with open_house(engine, tmp_path, slack_rows_project, SLACK_IMAGES="url") as house:
        house.identify()
        house.simulator.world.behaviour.fetches_images = "any"
        message = await house.shared(house.link("display=top5&field=title&field=count()"))
        (body,) = message.unfurls.values()
        address = body["blocks"][1]["image_url"]
        assert address.startswith(f"{house.url}/c/")
        assert house.run(slack.by_team, "T0001").rung == "url"
        async with httpx.AsyncClient() as client:
            before = (await client.get(address)).content
            assert await house.slack.snapshots.revoke_installation("T0001") == 1
            after = await client.get(address)
        assert after.status_code == 200
        assert after.content != before


async def test_a_saved_question_fills_what_the_address_does_not_say(house: House) -> None:
    house.identify()
    body = {
        "fields": ["title", "count()"],
        "yAxis": ["count_unique(user)"],
        "query": "message:Boom",
        "range": "24h",
        "queryDataset": "error-events",
        "topEvents": "3",
    }
    now = datetime.now(UTC)
    named = {"user_id": house.ada.id, "now": now}
    saved = house.run(create_saved_query, house.org_id, "Who is hit", body, **named)
    house.run(
        create_saved_query, house.org_id, "Mine", body | {"yAxis": "count()"}, **named,
        is_homepage=True,
    )  # fmt: skip
    page = f"{house.url}/organizations/acme/discover"
    assert "Who is hit" in words(await house.shared(f"{page}/results/?id={saved.id}"))
    assert "Mine" in words(await house.shared(f"{page}/homepage/"))
    for id in ("404", "abc", "9" * 30):
        message = await house.shared(house.link(f"yAxis=count()&id={id}"))
        assert "count() · last 24h" in words(message)


async def test_an_organization_without_discover_says_nothing(house: House) -> None:
    house.identify()
    house.run(tenancy.set_feature, house.org_id, "discover-basic", False)
    await house.shared(house.link())
    assert not house.said()


async def test_the_bucket_that_fills_right_now_is_told(house: House, engine: Engine) -> None:
    house.identify()
    now = datetime.now(UTC)
    rows = [{"timestamp": now, "title": "x", "message": "fresh", "transaction": "/x"}] * 7
    insert(engine, "errors", house.projects["shop"], rows)
    link = house.link("query=message:fresh&interval=1h").replace("=24h", "=14d")
    assert "Total 7, last 7" in words(await house.shared(link))


async def test_only_the_end_of_the_bots_own_token_breaks_the_workspace(house: House) -> None:
    house.identify()
    for tokens, broken in (({"oauth": ["U1"], "bot": []}, None), ({"bot": ["U0BOT"]}, "tokens_")):
        await house.sender.event({"type": "tokens_revoked", "tokens": tokens})
        await house.settle()
        assert str(house.run(slack.by_team, "T0001").broken).startswith(str(broken))
    await house.shared(house.link())
    assert not house.calls("chat.unfurl")


async def test_a_workspace_that_works_again_is_not_broken_any_more(house: House) -> None:
    house.identify()
    refused = Failure(body={"ok": False, "error": "invalid_auth"})
    house.simulator.world.behaviour.fail("chat.unfurl", refused)
    await house.shared(house.link())
    assert house.run(slack.by_team, "T0001").broken == "invalid_auth"
    assert (await house.shared(house.link())).unfurls
    assert house.run(slack.by_team, "T0001").broken is None


async def test_a_token_is_proven_to_be_of_its_workspace(house: House) -> None:
    house.run(admin.install, KEYS, org="acme", team="T0009", bot_token=TOKEN)
    await house.slack.workspaces._prove({})
    assert house.run(slack.by_team, "T0001").bot_user == "U0BOT"
    assert "another workspace" in house.run(slack.by_team, "T0009").broken


async def test_widgets_of_dashboards_unfurl_with_what_is_saved(house: House) -> None:
    house.identify()
    now = datetime.now(UTC)
    both = widget("Both", "line", ["count()"], conditions="message:Boom", name="Booms")
    both.body["queries"].append({"aggregates": ["count()"], "conditions": "message:Nothing"})
    both.body["queries"].append({"aggregates": ["count()"], "isHidden": True})
    widgets = [
        widget("Numbers", "big_number", ["count()"]),
        widget("Load", "line", ["count()"], conditions="message:Boom"),
        widget("By title", "top_n", ["count()"], ["title"]),
        both,
    ]
    project = int(house.projects["shop"])
    board = house.run(
        create_dashboard, house.org_id, "Board", {"projects": [project]}, widgets,
        user_id=house.ada.id, now=now,
    )  # fmt: skip
    page = f"{house.url}/organizations/acme/dashboard/{board.id}"
    for address in (f"{page}/", f"{page}/widget/1/"):
        shown = words(await house.shared(address))
        assert "Load" in shown
        assert "otal 1" in shown
    assert "By title" in words(await house.shared(f"{page}/widget/2/?statsPeriod=7d"))
    several = words(await house.shared(f"{page}/widget/3/"))
    assert "Booms: total 1" in several
    assert "*message:Nothing*\\n0" in several
    before = len(house.calls("chat.unfurl"))
    for address in (f"{page}/widget/0/", f"{page}/widget/9/", page.replace(f"/{board.id}", "/99")):
        await house.shared(address)
    assert len(house.calls("chat.unfurl")) == before


def widget(
    title: str, display: str, axes: list[str], columns: list[str] | None = None, **more: str
) -> Widget:
    query = {"aggregates": axes, "columns": columns or [], **more}
    return Widget(0, title, "error-events", {"displayType": display, "queries": [query]})


async def test_issues_unfurl_for_those_who_may_see_them(house: House) -> None:
    now = datetime.now(UTC)
    sightings = [
        Sighting(project, f"{n:032x}", f"Boom <{n}>", "c", "error", "error", "python", now, now, 3)
        for n, project in enumerate(house.projects.values())
    ]
    visible, hidden = house.run(record_batch, "spool", 1, sightings)
    links = [f"{house.url}/organizations/acme/issues/{id}/" for id in (visible, hidden, 999)]
    await house.shared(*links)
    assert not house.calls("chat.unfurl")
    house.identify()
    message = await house.shared(*links)
    (shown,) = message.unfurls.values()
    assert "Boom &lt;0&gt;" in str(shown)
    assert "SHOP-1" in str(shown)


def slow_payments(house: House, engine: Engine) -> int:
    """Make `/pay` slower five days ago."""
    shop, now = house.projects["shop"], datetime.now(UTC)
    for hours, duration in ((336, 100), (120, 400)):
        start = now - timedelta(hours=hours)
        rows = every(start, 600, 1200 if hours > 200 else 700, transaction="/pay", op="x")
        insert(engine, "transactions", shop, [{**row, "duration": duration} for row in rows])
    return shop


async def test_trends_unfurl_with_what_changed(house: House, engine: Engine) -> None:
    house.identify()
    page = f"{house.url}/organizations/acme/trends/?project={slow_payments(house, engine)}"
    shown = words(await house.shared(page, f"{page}&statsPeriod=zzz"))
    assert "/pay" in shown
    assert "+300% since" in shown


async def test_the_tab_of_recorded_trends_unfurls_what_it_lists(house: House) -> None:
    house.identify()
    now = datetime.now(UTC)
    shop, secret = house.projects.values()
    for project, group in ((shop, "/pay"), (shop, "/cart"), (secret, "/hidden")):
        house.run(
            add_trend,
            Trend(0, house.org_id, project, group, "p95()", 1, "regression", now, 100.0, 250.0,
                  2.5, 0.001, now, now),
        )  # fmt: skip
    page = f"{house.url}/organizations/acme/trends/?trendType=recorded&project={shop}"
    shown = words(await house.shared(page))
    assert "2 recorded" in shown
    assert "/pay" in shown
    assert "/hidden" not in shown
    assert "1 recorded" in words(await house.shared(f"{page}&query=CART"))
    assert "No trends are recorded" in words(await house.shared(f"{page}&status=dismissed"))


async def test_one_trend_unfurls_with_its_chart(drawing: House, engine: Engine) -> None:
    shop = slow_payments(drawing, engine)
    page = f"{drawing.url}/organizations/acme/trends/details/?project={shop}"
    (entry,) = (await drawing.shared(f"{page}&query=transaction:/pay")).unfurls.values()
    assert [block["type"] for block in entry["blocks"]] == ["section", "image", "context"]
    assert "rose from 100 ms to 400 ms (×4.0)" in str(entry)
