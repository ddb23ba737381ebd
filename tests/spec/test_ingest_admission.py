"""What may come in, set from the command line while the service runs, and how drops are counted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from tests.commands import Failed, run
from tests.faults.ingesting import error_envelope, transaction_envelope
from tests.serving import ORG, Tenant, eventually


class Sending:
    """Sends as an SDK does, and changes the rules as an administrator does."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.key = tenant.dsn.split("//")[1].split("@")[0]

    def send(self, body: bytes, key: str = "") -> httpx.Response:
        url = f"{self.tenant.service.url}/api/{self.tenant.project_id}/envelope/"
        return httpx.post(url, params={"sentry_key": key or self.key}, content=body, timeout=30)

    def error(self, **fields: object) -> int:
        return self.send(error_envelope(uuid.uuid4().hex, **fields)).status_code

    def admin(self, *arguments: str) -> Any:
        data = str(self.tenant.service.data)
        return msgspec.json.decode(run(*arguments, "--data", data, "--json"))

    def outcomes(self) -> dict[tuple[str, str, str], int]:
        answer = self.tenant.get(
            "stats_v2/",
            field="sum(quantity)",
            groupBy=["outcome", "category", "reason"],
            statsPeriod="1d",
            interval="1d",
        )
        return {
            (row["by"]["outcome"], row["by"]["category"], row["by"]["reason"]): row["totals"][
                "sum(quantity)"
            ]
            for row in answer.json()["groups"]
        }


@pytest.fixture
def sending(tenant: Tenant) -> Sending:
    return Sending(tenant)


@pytest.fixture(autouse=True)
def no_limit_stays(sending: Sending) -> Iterator[None]:
    yield
    sending.admin("limit", "lift", ORG, "--category", "error")


def _within_a_second(look: Any) -> Any:
    # The rule is one second; a busy machine gets some more before it counts as broken.
    return eventually(look, timeout_s=10)


@pytest.mark.parametrize("scope", ["organization", "project", "key"])
def test_a_limit_holds_from_within_a_second_until_it_is_lifted(
    sending: Sending, scope: str
) -> None:
    where = {
        "organization": (),
        "project": ("--project", sending.tenant.project),
        "key": ("--project", sending.tenant.project, "--key", sending.key),
    }[scope]
    owner = (ORG, "--category", "error", *where)
    made = sending.admin("limit", "set", ORG, "0", "--window", "30", *owner[1:])
    assert (made["scope"], made["quantity"], made["window_s"]) == (scope, 0, 30)
    assert made in sending.admin("limit", "list", ORG)
    assert _within_a_second(lambda: sending.error() == 429)

    refused = sending.send(error_envelope(uuid.uuid4().hex))
    assert 0 < int(refused.headers["retry-after"]) <= 30
    seconds, category, told, *_ = refused.headers["x-sentry-rate-limits"].split(":")
    assert (seconds, category, told) == (refused.headers["retry-after"], "error", scope)
    assert sending.send(transaction_envelope(uuid.uuid4().hex)).status_code == 200
    counted = ("rate_limited", "error", "rate_limit")
    assert eventually(lambda: sending.outcomes().get(counted, 0) >= 2)
    assert eventually(lambda: sending.outcomes().get(("accepted", "transaction", "")) == 1)

    sending.admin("limit", "lift", *owner)
    assert made not in sending.admin("limit", "list", ORG)
    assert _within_a_second(lambda: sending.error() == 200)


def test_a_limit_lets_so_many_through_and_no_more(sending: Sending) -> None:
    where = ("--project", sending.tenant.project, "--category", "error", "--window", "600")
    sending.admin("limit", "set", ORG, "0", *where)
    assert _within_a_second(lambda: sending.error() == 429)
    sending.admin("limit", "set", ORG, "3", *where)
    assert _within_a_second(lambda: sending.error() == 200)
    assert [sending.error() for _ in range(4)] == [200, 200, 429, 429]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("set", ORG, "-1"), "quantity"),
        (("set", ORG, "5", "--window", "0"), "window"),
        (("set", ORG, "5", "--category", "errors"), "category"),
        (("set", ORG, "5", "--key", "a" * 32), "--project"),
        (("set", "nobody", "5"), "nobody"),
    ],
)
def test_wrong_limits_are_refused(sending: Sending, arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(Failed, match=named):
        sending.admin("limit", *arguments)


def test_a_key_is_rotated_without_a_restart(sending: Sending) -> None:
    keys = sending.admin("project", "keys", ORG, sending.tenant.project, "--create")
    (fresh,) = [row["key"] for row in keys if row["key"] != sending.key]
    assert sending.send(error_envelope(uuid.uuid4().hex), fresh).status_code == 200
    sending.admin("project", "keys", ORG, sending.tenant.project, "--disable", sending.key)
    assert _within_a_second(lambda: sending.error() == 403)
    assert sending.send(error_envelope(uuid.uuid4().hex), fresh).status_code == 200


FILTERS = {
    "releases": ["1.*"],
    "error_messages": ["*ignore me*"],
    "health_checks": True,
    "localhost": True,
    "crawlers": True,
}


def test_inbound_filters_count_each_drop_with_its_reason(sending: Sending) -> None:
    sending.admin("project", "option", ORG, sending.tenant.project, "filters", json.dumps(FILTERS))
    # The digest follows within a second too: the first event that is filtered says that it has.
    assert _within_a_second(
        lambda: (
            sending.error(release="1.2") == 200
            and sending.outcomes().get(("filtered", "error", "release-version"))
        )
    )
    crawler = {"url": "http://shop.example", "headers": {"User-Agent": "Googlebot/2.1"}}
    for fields in (
        {"message": "please ignore me"},
        {"request": {"url": "http://localhost/x"}},
        {"request": crawler},
    ):
        assert sending.error(**fields) == 200
    health = transaction_envelope(uuid.uuid4().hex).replace(b"/checkout", b"/a/health")
    assert sending.send(health).status_code == 200
    expected = {
        ("filtered", "error", "error-message"),
        ("filtered", "error", "localhost"),
        ("filtered", "error", "web-crawlers"),
        ("filtered", "transaction", "filtered-transaction"),
    }
    assert eventually(lambda: expected <= set(sending.outcomes()))
    assert ("accepted", "transaction", "") not in sending.outcomes()
