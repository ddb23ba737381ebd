"""Who may see pages and images, over plain HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import msgspec
import pytest
from PIL import Image

from groundswell.charts.snapshots import placeholder
from groundswell.demo.service import ServiceProcess
from tests.browser.conftest import EMAIL, PASSWORD, Shop
from tests.serving import ORG

PAGES = (
    "",
    "settings/",
    "discover/results/",
    "discover/homepage/",
    "discover/chart/",
    "discover/table/",
    "discover/fields/",
)
STRANGER = "mallory@example.com"


@pytest.fixture(scope="module")
def stranger(service: ServiceProcess, shop: Shop) -> Iterator[httpx.Client]:
    """Somebody who is logged in, but belongs to another organization."""
    service.cli("org", "create", "umbrella")
    service.cli(
        "user", "create", STRANGER, "--org", "umbrella", "--role", "owner", "--password-stdin",
        stdin=PASSWORD,
    )  # fmt: skip
    with logged_in(shop, STRANGER) as client:
        yield client


@contextmanager
def logged_in(shop: Shop, email: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shop.url, timeout=30) as client:
        answer = client.post("/login/", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 302
        yield client


@pytest.mark.parametrize("page", PAGES)
def test_pages_need_a_login_and_membership(shop: Shop, stranger: httpx.Client, page: str) -> None:
    path = f"/organizations/{ORG}/{page}"
    nobody = httpx.get(shop.url + path, timeout=30)
    assert nobody.status_code == 302
    assert nobody.headers["location"].startswith("/login/?next=%2Forganizations")
    assert stranger.get(path).status_code == 403
    assert stranger.get("/organizations/no-such-org/" + page).status_code == 404


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_image_needs_the_access_of_its_data(
    shop: Shop, token: str, stranger: httpx.Client, kind: str
) -> None:
    path = f"/api/0/organizations/{ORG}/events-stats/chart.{kind}?statsPeriod=1h&partial=1"
    mine = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=shop.url, timeout=30) as client:
        drawn = client.get(path, headers=mine)
        assert drawn.status_code == 200
        assert drawn.headers["content-type"].startswith("image/")
        # The picture is in the cache now, which must not open it to anybody else.
        assert client.get(path).status_code == 401
        assert stranger.get(path).status_code == 403
        foreign = client.get(path + "&project=999999", headers=mine)
        assert (foreign.status_code, list(foreign.json())) == (403, ["detail"])
        same = client.get(path, headers={**mine, "If-None-Match": drawn.headers["etag"]})
        assert same.status_code == 304


def test_png_shows_marks_and_is_small(shop: Shop, token: str) -> None:
    answer = httpx.get(
        f"{shop.url}/api/0/organizations/{ORG}/events-stats/chart.png",
        params={
            "statsPeriod": "1h", "partial": "1", "topEvents": "5", "field": ["title", "count()"],
            "sort": "-count()", "display": "bar", "project": shop.project_id,
        },
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )  # fmt: skip
    assert len(answer.content) <= 90_000
    with Image.open(io.BytesIO(answer.content)) as image:
        colours = image.convert("RGB").getcolors(1 << 16)
    first_series = [
        n for n, (r, g, b) in colours if abs(r - 0x33) + abs(g - 0x22) + abs(b - 0x88) < 40
    ]
    assert sum(first_series) > 1000


@pytest.mark.parametrize(
    ("query", "word"),
    [("theme=pink", "theme"), ("width=9", "width"), ("height=x", "height"), ("topEvents=11", "10")],
)
def test_bad_parameters_of_an_image_are_named(
    shop: Shop, token: str, query: str, word: str
) -> None:
    answer = httpx.get(
        f"{shop.url}/api/0/organizations/{ORG}/events-stats/chart.png?field=title&{query}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert answer.status_code == 400
    assert word in answer.json()["detail"]


def test_image_that_is_gone_is_a_neutral_one_without_cookies(shop: Shop) -> None:
    gone = httpx.get(f"{shop.url}/c/{'0' * 32}.png", timeout=30)
    assert (gone.status_code, gone.content) == (200, placeholder())
    assert gone.headers["content-type"] == "image/png"
    assert "noindex" in gone.headers["x-robots-tag"]
    assert gone.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in gone.headers
    assert httpx.get(f"{shop.url}/c/secret.png", timeout=30).status_code == 404


def test_session_reads_the_api(shop: Shop) -> None:
    with logged_in(shop, EMAIL) as client:
        path = f"/api/0/organizations/{ORG}/projects/"
        slugs = [row["slug"] for row in msgspec.json.decode(client.get(path).content)]
        assert "pages" in slugs
        assert client.get(f"/organizations/{ORG}/").status_code == 200
