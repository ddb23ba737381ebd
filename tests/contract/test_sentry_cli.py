"""sentry-cli, unchanged: who am I, what is there, releases, an event."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.serving import Tenant, eventually

CLI = Path(__file__).parent / "node/node_modules/.bin/sentry-cli"


def sentry_cli(tenant: Tenant, *arguments: str) -> str:
    environment = {
        **os.environ, "SENTRY_ORG": tenant.org, "SENTRY_PROJECT": tenant.project,
        "SENTRY_DSN": tenant.dsn,
    }  # fmt: skip
    command = [str(CLI), "--url", tenant.service.url, "--auth-token", tenant.token, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_says_who_asks_and_what_there_is(tenant: Tenant) -> None:
    said = sentry_cli(tenant, "info")
    assert "Method: Auth Token" in said
    assert "org:read" in said

    assert tenant.org in sentry_cli(tenant, "organizations", "list")
    assert tenant.project in sentry_cli(tenant, "projects", "list")


def test_releases_are_made_listed_finished_and_deleted(tenant: Tenant) -> None:
    assert "Created release" in sentry_cli(tenant, "releases", "new", "web@9")
    assert "web@9" in sentry_cli(tenant, "releases", "list")
    assert "web@9" in sentry_cli(tenant, "releases", "info", "web@9")
    assert "Finalized" in sentry_cli(tenant, "releases", "finalize", "web@9")
    (shown,) = tenant.get("releases/").json()
    assert shown["dateReleased"].endswith("Z")
    assert "Deleted" in sentry_cli(tenant, "releases", "delete", "web@9")
    assert tenant.get("releases/").json() == []


def test_an_event_arrives(tenant: Tenant) -> None:
    assert "Event dispatched" in sentry_cli(tenant, "send-event", "-m", "hello from the shell")

    rows = eventually(
        lambda: tenant.get(
            "events/", statsPeriod="1h", dataset="errors", field=["title", "count()"]
        ).json()["data"]
    )
    assert rows == [{"title": "hello from the shell", "count()": 1}]
    assert "hello from the shell" in sentry_cli(tenant, "events", "list")
    assert "hello from the shell" in sentry_cli(tenant, "issues", "list")
    sentry_cli(tenant, "issues", "resolve", "--all")
    (resolved,) = tenant.get("issues/", query="is:resolved").json()
    sentry_cli(tenant, "issues", "unresolve", "--id", resolved["id"])
    assert tenant.get("issues/", query="is:resolved").json() == []
