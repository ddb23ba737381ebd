"""The MCP server of Sentry, unchanged, asks us what an assistant would ask."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from groundswell.demo.service import ServiceProcess
from tests.contract.mcp import McpServer

SENDER = Path(__file__).parent / "senders.py"
ORG = "assistants"
REFUSED = ("**Input Error**", "error with your request")


@dataclass(frozen=True, slots=True)
class Asked:
    """The server, and what it may ask about."""

    mcp: McpServer
    url: str
    token: str
    trace: str
    event: str
    dashboard: str


@pytest.fixture(scope="module")
def asked(service: ServiceProcess) -> Iterator[Asked]:
    service.cli("org", "create", ORG)
    token = msgspec.json.decode(service.cli("token", "create", ORG))["token"]
    dsn = msgspec.json.decode(service.cli("project", "create", ORG, "web"))["dsn"]
    service.cli("team", "create", ORG, "core", "--project", "web")
    subprocess.run([sys.executable, str(SENDER), dsn], check=True, timeout=60)
    service.wait_until_queryable()
    widget = {
        "title": "Errors",
        "displayType": "line",
        "widgetType": "error-events",
        "queries": [{"fields": ["count()"], "conditions": "level:error"}],
    }
    with httpx.Client(
        base_url=f"{service.url}/api/0/organizations/{ORG}/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    ) as client:
        made = client.post("dashboards/", json={"title": "Health", "widgets": [widget]})
        found = client.get("events/", params={"field": ["trace", "id"], "dataset": "errors"}).json()
    (row,) = found["data"]
    with McpServer(service.url, token) as mcp:
        yield Asked(mcp, service.url, token, row["trace"], row["id"], made.json()["id"])


def test_who_am_i_and_where(asked: Asked) -> None:
    assert f"Token of {ORG}" in asked.mcp.other("whoami")
    assert f'"slug": "{ORG}"' in asked.mcp.tool("find_organizations")
    assert '"slug": "web"' in asked.mcp.tool("find_projects", organizationSlug=ORG)
    assert "core" in asked.mcp.other("find_teams", organizationSlug=ORG)


@pytest.mark.parametrize(
    ("dataset", "query", "seen"),
    [
        ("errors", "level:error", "ValueError: no such user"),
        ("spans", "span.op:db", "SELECT"),
        ("profiles", "", "Search Results"),
    ],
)
def test_events_are_found(asked: Asked, dataset: str, query: str, seen: str) -> None:
    text = asked.mcp.tool("search_events", organizationSlug=ORG, dataset=dataset, query=query)

    assert seen in text
    assert not any(word in text for word in REFUSED)


def test_a_project_narrows_a_search(asked: Asked) -> None:
    text = asked.mcp.tool(
        "search_events", organizationSlug=ORG, projectSlug="web", dataset="errors", query=""
    )
    assert "ValueError: no such user" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"dataset": "errors", "query": "((level:error"}, "parenthesis"),
        ({"dataset": "logs", "query": ""}, "dataset must be one of"),
        ({"dataset": "errors", "query": "", "projectSlug": "nope"}, "404"),
    ],
)
def test_what_is_wrong_is_said(asked: Asked, arguments: dict[str, Any], said: str) -> None:
    text = asked.mcp.tool("search_events", organizationSlug=ORG, **arguments)

    assert said in text
    assert any(word in text for word in REFUSED)


def test_issues_are_found_described_and_changed(asked: Asked) -> None:
    found = asked.mcp.tool("search_issues", organizationSlug=ORG, query="is:unresolved")
    assert "WEB-1" in found
    assert "ValueError: no such user" in found

    shown = asked.mcp.tool(
        "get_sentry_resource", resourceType="issue", organizationSlug=ORG, resourceId="WEB-1"
    )
    assert 'raise ValueError("no such user")' in shown
    assert "ada@example.com" in shown
    assert "**plan**: pro" in shown

    values = asked.mcp.other(
        "get_issue_tag_values", organizationSlug=ORG, issueId="WEB-1", tagKey="plan"
    )
    assert '"value": "pro"' in values

    asked.mcp.tool("update_issue", organizationSlug=ORG, issueId="WEB-1", status="resolved")
    resolved = asked.mcp.tool("search_issues", organizationSlug=ORG, query="is:resolved")
    assert "WEB-1" in resolved
    asked.mcp.tool("update_issue", organizationSlug=ORG, issueId="WEB-1", status="unresolved")


def test_an_event_is_found_by_its_id_alone(asked: Asked) -> None:
    event = asked.mcp.tool(
        "get_sentry_resource", resourceType="event", organizationSlug=ORG, resourceId=asked.event
    )
    assert "ValueError: no such user" in event


def test_a_trace_is_a_tree(asked: Asked) -> None:
    text = asked.mcp.tool(
        "get_sentry_resource", resourceType="trace", organizationSlug=ORG, resourceId=asked.trace
    )
    assert "**Total Spans**: 2" in text
    assert "**Errors**: 1" in text
    assert "http.server" in text


@pytest.mark.parametrize(
    ("tool", "arguments", "seen"),
    [
        ("find_dashboards", {}, "Health"),
        ("get_dashboard_details", {"dashboardIdOrTitle": "Health"}, "level:error"),
        ("find_releases", {}, "1.2.3"),
        ("find_dsns", {"projectSlug": "web"}, "http://"),
        ("find_alert_rules", {"projectSlugOrId": "web"}, ""),
    ],
)
def test_the_rest_is_read(asked: Asked, tool: str, arguments: dict[str, str], seen: str) -> None:
    text = asked.mcp.other(tool, organizationSlug=ORG, **arguments)

    assert seen in text
    assert not any(word in text for word in REFUSED), text


def test_what_we_do_not_have_is_a_clean_error(asked: Asked) -> None:
    text = asked.mcp.other("find_monitors", organizationSlug=ORG)

    assert "404" in text
    assert "does not exist" in text


def test_a_wrong_token_is_said_to_be_wrong(asked: Asked) -> None:
    with McpServer(asked.url, "wrong") as mcp:
        text = mcp.tool("find_organizations")
    assert "rejected the stored access token" in text
