"""The service with its metadata in PostgreSQL: the same line, and a key that must be shared."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from groundswell.demo.service import ServiceProcess
from groundswell.errors import StartupError
from tests.contract.test_senders import PYTHON, run
from tests.postgresql import PostgresServer


def test_without_a_shared_key_it_does_not_start(tmp_path: Path, postgres: PostgresServer) -> None:
    settings = {"DATABASE_URL": postgres.new_database()}
    with pytest.raises(StartupError, match="GROUNDSWELL_SECRET_KEY is required"):
        ServiceProcess(tmp_path / "data", settings=settings).start()


def test_events_come_back_and_have_issues(tmp_path: Path, postgres: PostgresServer) -> None:
    settings = {"DATABASE_URL": postgres.new_database(), "SECRET_KEY": "k" * 40}
    with ServiceProcess(tmp_path / "data", settings=settings) as service:
        service.cli("org", "create", "acme")
        project = msgspec.json.decode(service.cli("project", "create", "acme", "web"))
        token = msgspec.json.decode(service.cli("token", "create", "acme"))["token"]
        run(*PYTHON, project["dsn"])
        service.wait_until_queryable()
        answer = httpx.get(
            f"{service.url}/api/0/organizations/acme/events/",
            params={"field": ["title", "issue"], "dataset": "errors", "statsPeriod": "1h"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert [(row["title"], row["issue"]) for row in answer.json()["data"]] == [
            ("ValueError: no such user", "WEB-1")
        ]
        assert service.stop() == 0
