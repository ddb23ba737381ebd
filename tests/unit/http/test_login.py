"""Login, logout, tries, origins: over the real routes, with a real metadata database."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, get
from litestar.datastructures import State

from groundswell.config import load
from groundswell.errors import NotAuthenticated
from groundswell.http import sessions
from groundswell.http.requests import caller_of
from groundswell.http.sessions import COOKIE, TooManyTries, Tries
from groundswell.http.web import MIDDLEWARE, assets, login
from groundswell.http.web.failures import HANDLERS
from groundswell.http.web.login import local
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata import sessions as rows
from tests.databases import migrated

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
_hosts = itertools.count(1)


@get("/whoami/", opt={"access": "session"})
async def whoami(request: Request[Any, Any, Any]) -> str:
    caller = await caller_of(request)
    assert caller.user is not None
    return caller.user.email


def browser(metadata, *, address=None, **settings):
    """A client with an address of its own, so that the tries of tests do not add up."""
    services = SimpleNamespace(
        settings=load({"BASE_URL": "http://shop.test", **settings}, {}), metadata=metadata
    )
    app = Litestar(
        [*login.ROUTES, *assets.ROUTES, whoami],
        exception_handlers=HANDLERS,
        middleware=MIDDLEWARE,
        state=State({"services": services}),
        openapi_config=None,
        logging_config=None,
    )
    peer = (address or f"198.51.100.{next(_hosts)}", 40_000)
    base = settings.get("BASE_URL", "http://shop.test")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=peer), base_url=base)


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Iterator[Metadata]:
    opened = migrated(tmp_path_factory.mktemp("people") / "metadata.db")
    with opened.begin() as connection:
        tenancy.create_user(connection, EMAIL, now=NOW, password=PASSWORD)
    yield opened
    opened.close()


@pytest.fixture
async def client(people) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(people) as opened:
        yield opened


async def log_in(client, password=PASSWORD, email=EMAIL, next="/", **more):
    form = {"email": email, "password": password, "next": next}
    return await client.post("/login/", data=form, **more)


async def test_login_leads_on_and_logout_ends_the_session_on_the_server(client):
    answer = await log_in(client, next="/organizations/acme/?a=1")
    assert (answer.status_code, answer.headers["location"]) == (302, "/organizations/acme/?a=1")
    assert (await client.get("/whoami/")).text == EMAIL
    stolen = client.cookies[COOKIE]
    assert (await client.post("/logout/")).headers["location"] == "/login/"
    assert COOKIE not in client.cookies
    again = await client.get("/whoami/", headers={"Cookie": f"{COOKIE}={stolen}"})
    assert again.status_code == 302


async def test_cookie_is_kept_from_scripts_and_other_sites(client):
    cookie = (await log_in(client)).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie


async def test_cookie_is_secure_behind_tls(people):
    async with browser(people, BASE_URL="https://shop.test") as secure:
        assert "secure" in (await log_in(secure)).headers["set-cookie"].lower()
    async with browser(people, address="10.1.1.1", TRUSTED_PROXIES="10.1.1.1") as proxied:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.250"}
        cookie = (await log_in(proxied, headers=headers)).headers["set-cookie"]
        assert "secure" in cookie.lower()


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong"), ("eve@example.com", PASSWORD), ("", ""), (EMAIL, "x" * 100_000)],
)
async def test_wrong_words_are_all_refused_alike(client, email, password):
    answer = await log_in(client, password, email)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert "set-cookie" not in answer.headers


async def test_sixth_try_of_a_minute_is_refused_even_with_the_right_password(client):
    for _ in range(5):
        assert (await log_in(client, "wrong")).status_code == 401
    refused = await log_in(client)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_tries_come_back_after_a_minute_and_count_per_address_and_person():
    tries = Tries()
    for second in range(5):
        tries.take("1.1.1.1", EMAIL, float(second))
    with pytest.raises(TooManyTries) as refused:
        tries.take("1.1.1.1", f" {EMAIL.upper()}", 10.0)
    assert refused.value.wait_s == 50
    tries.take("2.2.2.2", EMAIL, 10.0)
    tries.take("1.1.1.1", "bob@example.com", 10.0)
    tries.take("1.1.1.1", EMAIL, 60.5)


def test_one_address_cannot_try_every_person():
    tries = Tries()
    for number in range(30):
        tries.take("1.1.1.1", f"{number}@example.com", 0.0)
    with pytest.raises(TooManyTries):
        tries.take("1.1.1.1", "31@example.com", 1.0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 302),
        ({"Origin": "http://shop.test"}, 302),
        ({"Origin": "http://shop.test", "Sec-Fetch-Site": "same-origin"}, 302),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://shop.test.evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://sub.shop.test", "Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_unsafe_requests_of_other_sites_are_refused(client, headers, status):
    assert (await log_in(client, headers=headers)).status_code == status


async def test_page_without_session_leads_to_the_login_and_back(client):
    answer = await client.get("/whoami/?a=b&c=d")
    assert answer.status_code == 302
    assert answer.headers["location"] == "/login/?next=%2Fwhoami%2F%3Fa%3Db%26c%3Dd"


async def test_script_without_session_is_told(client):
    answer = await client.get("/whoami/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        "Authentication credentials were not provided.",
    )
    part = await client.get("/whoami/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (401, "/login/")


async def test_session_ends_with_its_time_its_person_and_its_password(people):
    with people.begin() as connection:
        user = tenancy.create_user(connection, "eve@example.org", now=NOW, password=PASSWORD)
        day = timedelta(days=1)
        first, second, third = (
            rows.begin(connection, user.id, now=NOW, lasts=day) for _ in range(3)
        )
        assert rows.user_of(connection, first, NOW) == user.id
        assert rows.user_of(connection, first, NOW + day) is None
        tenancy.set_password(connection, user.id, "another long password")
        assert rows.user_of(connection, second, NOW) is None
        fresh = rows.begin(connection, user.id, now=NOW, lasts=day)
        tenancy.set_user_active(connection, user.id, False)
        assert rows.user_of(connection, fresh, NOW) is None
        assert rows.user_of(connection, third, NOW) is None


async def test_forged_cookie_is_nobody(client):
    client.cookies.set(COOKIE, "0" * 43)
    assert (await client.get("/whoami/", headers={"Accept": "application/json"})).json() == {
        "detail": "The session has ended. Log in again."
    }


async def test_pages_carry_a_policy_with_a_fresh_nonce_and_no_inline_code(client):
    pages = [await client.get("/login/") for _ in range(2)]
    policies = [page.headers["content-security-policy"] for page in pages]
    assert policies[0] != policies[1]
    nonce = policies[0].split("'nonce-")[1].split("'")[0]
    assert f'nonce="{nonce}"' in pages[0].text
    assert "unsafe" not in policies[0]
    assert pages[0].headers["cache-control"] == "no-store"
    assert pages[0].headers["x-frame-options"] == "DENY"
    assert pages[0].headers["x-content-type-options"] == "nosniff"


async def test_user_text_is_escaped(client):
    answer = await log_in(client, email='"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert" in answer.text


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/organizations/acme/?a=b", "/organizations/acme/?a=b"),
        ("//evil.test/", "/"),
        ("/\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
    ],
)
def test_next_stays_here(asked, led_to):
    assert local(asked) == led_to


async def test_static_files_are_kept_forever_under_their_version(client):
    style = await client.get(assets.address("app.css"), headers={"Accept-Encoding": "gzip"})
    assert style.headers["cache-control"] == assets.FOREVER
    assert style.headers["content-encoding"] == "gzip"
    assert "--accent" in style.text
    old = await client.get("/static/older/app.css")
    assert old.headers["cache-control"] == "no-cache"
    font = await client.get(assets.address("fonts/inter-Regular.woff2"))
    assert font.headers["content-type"] == "font/woff2"


@pytest.mark.parametrize("name", ["../web/login.py", "..%2Flogin.py", "nothing.js", "fonts"])
async def test_only_static_files_are_given(client, name):
    assert (await client.get(f"/static/x/{name}")).status_code == 404


async def test_session_caller_needs_a_cookie():
    connection = SimpleNamespace(cookies={})
    with pytest.raises(NotAuthenticated):
        await sessions.session_caller(connection)
