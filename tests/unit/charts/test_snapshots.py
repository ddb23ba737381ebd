"""Stored images: random names, revocation, and a neutral image instead of a hole."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from PIL import Image

from groundswell.charts.snapshots import Snapshots, is_name, placeholder
from groundswell.store.metadata import tenancy

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def tenants(metadata):
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        projects = [
            tenancy.create_project(connection, org.id, slug, now=NOW).id for slug in ("web", "api")
        ]
    return org.id, projects


def name_of(path):
    assert path.startswith("/c/")
    assert path.endswith(".png")
    return path[3:-4]


async def test_same_image_gets_another_name_each_time(metadata):
    org, (web, _) = tenants(metadata)
    store = Snapshots(metadata)
    names = {
        name_of(await store.store(b"png", org_id=org, project_ids=[web, web], now=NOW))
        for _ in range(20)
    }
    assert len(names) == 20
    assert all(len(name) == 32 and is_name(name) for name in names)
    assert await store.find(names.pop()) == b"png"


async def test_image_is_revoked_with_what_it_belongs_to(metadata):
    org, (web, api) = tenants(metadata)
    store = Snapshots(metadata)

    async def keep(projects, installation=None, age=0):
        path = await store.store(
            b"png", org_id=org, project_ids=projects, installation=installation,
            now=NOW - timedelta(days=age),
        )  # fmt: skip
        return name_of(path)

    of_both, of_api = await keep([web, api]), await keep([api])
    of_team, old = await keep([api], "T1"), await keep([api], age=91)
    gone_with_project = await keep([web])
    assert await store.revoke_project(web) == 2
    assert await store.revoke_installation("T1") == 1
    assert await store.revoke_older(NOW - timedelta(days=90)) == 1
    found = [await store.find(n) for n in (of_both, of_team, old, gone_with_project, of_api)]
    assert found == [None, None, None, None, b"png"]


async def test_project_takes_the_images_that_show_it_along(metadata):
    org, (web, api) = tenants(metadata)
    store = Snapshots(metadata)
    both, alone = [
        name_of(await store.store(b"png", org_id=org, project_ids=projects, now=NOW))
        for projects in ([web, api], [api])
    ]
    with metadata.begin() as connection:
        tenancy.delete_project(connection, web)
    assert [await store.find(name) for name in (both, alone)] == [None, b"png"]


async def test_organization_takes_its_images_along(metadata):
    org, (web, _) = tenants(metadata)
    store = Snapshots(metadata)
    name = name_of(await store.store(b"png", org_id=org, project_ids=[web], now=NOW))
    with metadata.begin() as connection:
        tenancy.delete_organization(connection, org)
    assert await store.find(name) is None


async def test_nothing_is_looked_up_for_what_is_no_name(sqlite_metadata):
    store = Snapshots(sqlite_metadata)
    for name in ("", "x" * 32, "A" * 32, "0" * 31, "../secret", "0" * 32 + "\n"):
        assert not is_name(name)
        assert await store.find(name) is None


def test_placeholder_is_a_small_picture():
    with Image.open(io.BytesIO(placeholder())) as image:
        assert image.size == (800, 400)
        assert len(image.convert("RGB").getcolors(1000)) > 2
    assert len(placeholder()) < 10_000
