"""A running service and its tenants, for tests that go through sockets."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from groundswell.demo.service import ServiceProcess

ORG = "acme"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One project of its own, and a token of the organization."""

    service: ServiceProcess
    org: str
    project: str
    project_id: str
    dsn: str
    token: str

    def get(self, path: str, **params: Any) -> httpx.Response:
        """Ask the API as the organization; `path` starts below `/api/0/organizations/<org>/`."""
        return httpx.get(
            f"{self.service.url}/api/0/organizations/{self.org}/{path}",
            params={"project": self.project_id, **params},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with ServiceProcess(tmp_path_factory.mktemp("service") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def token(service: ServiceProcess) -> str:
    service.cli("org", "create", ORG)
    made: str = msgspec.json.decode(service.cli("token", "create", ORG))["token"]
    return made


@pytest.fixture
def tenant(service: ServiceProcess, token: str) -> Tenant:
    slug = f"project-{next(_numbers)}"
    made = msgspec.json.decode(service.cli("project", "create", ORG, slug))
    return Tenant(service, ORG, slug, made["id"], made["dsn"], token)


def eventually(look: Callable[[], Any], *, timeout_s: float = 15.0) -> Any:
    """Look until there is something to see; give it, or what was seen last."""
    deadline = time.monotonic() + timeout_s
    while True:
        seen = look()
        if seen or time.monotonic() > deadline:
            return seen

        time.sleep(0.05)
