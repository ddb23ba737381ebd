"""The same promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from groundswell.errors import NotFound, StartupError, UserError
from groundswell.model.tenancy import Role
from groundswell.store import metadata as room
from groundswell.store.metadata import Metadata, tenancy
from groundswell.store.metadata.columns import registry

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_migrations_and_tables_agree(metadata: Metadata) -> None:
    for module in pkgutil.iter_modules(room.__path__):
        importlib.import_module(f"{room.__name__}.{module.name}")
    with metadata.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, registry) == []


def test_migrating_again_changes_nothing(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        tenancy.create_organization(connection, "acme", now=NOW)
    metadata.migrate()
    with metadata.begin() as connection:
        assert [org.slug for org in tenancy.list_organizations(connection)] == ["acme"]


def test_processes_that_migrate_together_wait_for_each_other(metadata_url: str) -> None:
    failures: list[Exception] = []

    def migrate() -> None:
        opened = Metadata.open(metadata_url)
        try:
            opened.migrate()
        except Exception as error:
            failures.append(error)
        finally:
            opened.close()

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_data_of_a_newer_version_is_refused_with_advice(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartupError, match=r"9999.*newer Groundswell\. Install that version"):
        metadata.migrate()


def test_a_failed_transaction_leaves_nothing(metadata: Metadata) -> None:
    def work() -> None:
        with metadata.begin() as connection:
            tenancy.create_organization(connection, "acme", now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    with metadata.begin() as connection:
        assert tenancy.find_organization(connection, "acme") is None


def test_creating_again_gives_what_is_there(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW, name="Acme")
        project = tenancy.create_project(connection, org.id, "web", now=NOW, platform="python")
        team = tenancy.create_team(connection, org.id, "core", now=NOW)
        key = tenancy.default_key(connection, project.id)
        later = NOW + timedelta(days=1)
        assert tenancy.create_organization(connection, "acme", now=later) == org
        assert tenancy.create_project(connection, org.id, "web", now=later) == project
        assert tenancy.create_team(connection, org.id, "core", now=later) == team
        assert tenancy.list_keys(connection, project.id) == [key]
        assert org.created_at == NOW
        assert org.open_membership is True


def test_creating_the_same_at_once_makes_one(metadata: Metadata) -> None:
    def create(connection: Connection) -> int:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        return tenancy.create_project(connection, org.id, "web", now=NOW).id

    ids: list[int] = []

    def work() -> None:
        with metadata.begin() as connection:
            ids.append(create(connection))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with metadata.begin() as connection:
        assert len(tenancy.list_keys(connection, tenancy.list_projects(connection)[0].id)) == 1
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_two_organizations_may_use_one_project_slug(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        orgs = [tenancy.create_organization(connection, slug, now=NOW) for slug in ("a", "b")]
        ids = {tenancy.create_project(connection, org.id, "web", now=NOW).id for org in orgs}
        assert len(ids) == 2


@pytest.mark.parametrize("slug", ["", "Acme", "a b", "12", "-a", "a/b", "é", "a" * 51])
def test_a_bad_slug_is_refused(sqlite_metadata: Metadata, slug: str) -> None:
    with sqlite_metadata.begin() as connection, pytest.raises(UserError) as caught:
        tenancy.create_organization(connection, slug, now=NOW)
    assert caught.value.field == "slug"


@pytest.mark.parametrize("unknown", ["nope", 99, "99", "9" * 40, "١"], ids=ascii)
def test_what_is_not_there_is_not_found(metadata: Metadata, unknown: str | int) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        for get in (tenancy.get_project, tenancy.get_team):
            with pytest.raises(NotFound):
                get(connection, org.id, unknown)
        with pytest.raises(NotFound):
            tenancy.get_organization(connection, unknown)


def test_the_id_of_a_deleted_project_is_not_given_again(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        project = tenancy.create_project(connection, org.id, "web", now=NOW)
        key = tenancy.default_key(connection, project.id)
        assert key is not None
        tenancy.delete_project(connection, project.id)
        assert tenancy.key_by_public_key(connection, key.public_key) is None
        assert tenancy.create_project(connection, org.id, "web", now=NOW).id > project.id


def test_a_key_is_found_switched_off_and_limited(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        project = tenancy.create_project(connection, org.id, "web", now=NOW)
        key = tenancy.create_key(connection, project.id, now=NOW, label="second")
        assert len(key.public_key) == 32
        assert tenancy.key_by_public_key(connection, key.public_key) == key
        tenancy.set_key_active(connection, key.id, False)
        tenancy.set_key_rate_limit(connection, key.id, 100, 60)
        changed = tenancy.key_by_public_key(connection, key.public_key)
        assert changed is not None
        assert (changed.is_active, changed.rate_limit_count) == (False, 100)
        assert tenancy.dsn("https://x.org/in", key) == (
            f"https://{key.public_key}@x.org/in/{project.id}"
        )


def test_every_change_raises_the_version(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        seen = [tenancy.version(connection)]

        def changed() -> None:
            seen.append(tenancy.version(connection))
            assert seen[-1] > seen[-2]

        org = tenancy.create_organization(connection, "acme", now=NOW)
        changed()
        project = tenancy.create_project(connection, org.id, "web", now=NOW)
        changed()
        key = tenancy.create_key(connection, project.id, now=NOW)
        changed()
        tenancy.set_key_active(connection, key.id, False)
        changed()
        _, token = tenancy.create_token(connection, now=NOW, org_id=org.id)
        changed()
        tenancy.delete_token(connection, token.id)
        changed()
        user = tenancy.create_user(connection, "a@x.org", now=NOW)
        changed()
        tenancy.add_member(connection, org.id, user.id, Role.MEMBER, now=NOW)
        changed()
        tenancy.set_option(connection, project.id, "apdex", {"ms": 300})
        changed()
        tenancy.set_feature(connection, org.id, "trends", False)
        changed()


async def test_another_process_is_seen_within_the_watch(metadata_url: str) -> None:
    here, there = Metadata.open(metadata_url), Metadata.open(metadata_url)
    here.migrate()
    now = [0.0]
    watch = tenancy.VersionWatch(here, every_s=0.5, clock=lambda: now[0])
    before = await watch.current()
    with there.begin() as connection:
        tenancy.create_organization(connection, "acme", now=NOW)
    assert await watch.current() == before
    now[0] = 0.5
    assert await watch.current() > before
    here.close()
    there.close()


def test_options_and_features_keep_their_last_value(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        project = tenancy.create_project(connection, org.id, "web", now=NOW)
        for value in ({"a": [1]}, ["é", None]):
            tenancy.set_option(connection, project.id, "filters", value)
        for enabled in (True, False):
            tenancy.set_feature(connection, org.id, "trends", enabled)
        assert tenancy.project_options_of(connection, project.id) == {"filters": ["é", None]}
        assert tenancy.list_features(connection, org.id) == {"trends": False}
        tenancy.unset_option(connection, project.id, "filters")
        assert tenancy.project_options_of(connection, project.id) == {}


def test_tokens_are_kept_as_hashes(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        secret, token = tenancy.create_token(
            connection, now=NOW, org_id=org.id, scopes=["org:read", "org:read"]
        )
        assert secret.startswith("groundswell_")
        assert tenancy.find_token(connection, secret) == token
        assert tenancy.find_token(connection, secret + "x") is None
        assert token.last_four == secret[-4:]
        assert token.scopes == {"org:read"}
        kept = connection.execute(text("SELECT * FROM tokens")).one()
        assert secret not in map(str, kept)


def test_a_password_opens_one_account(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        user = tenancy.create_user(connection, "Ann@X.org", now=NOW, password="correct horse")
        assert user.email == "ann@x.org"
        assert tenancy.verify_password(connection, " ANN@x.org", "correct horse") == user
        assert tenancy.verify_password(connection, "ann@x.org", "wrong horse") is None
        assert tenancy.verify_password(connection, "bob@x.org", "correct horse") is None
        session = tenancy.session_fingerprint(connection, user.id)
        tenancy.set_password(connection, user.id, "another horse")
        assert tenancy.session_fingerprint(connection, user.id) != session
        tenancy.set_user_active(connection, user.id, False)
        assert tenancy.verify_password(connection, "ann@x.org", "another horse") is None
        assert tenancy.session_fingerprint(connection, user.id) is None


def test_guessing_a_password_costs_memory_and_time(full_cost: PasswordHasher) -> None:
    assert full_cost.hash("correct horse").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_a_password_of_a_wrong_length_is_refused(sqlite_metadata: Metadata, password: str) -> None:
    with sqlite_metadata.begin() as connection, pytest.raises(UserError, match="8 to 1024"):
        tenancy.create_user(connection, "a@x.org", now=NOW, password=password)


def test_only_members_and_own_projects_go_into_a_team(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        mine = tenancy.create_organization(connection, "mine", now=NOW)
        other = tenancy.create_organization(connection, "other", now=NOW)
        team = tenancy.create_team(connection, mine.id, "core", now=NOW)
        stranger = tenancy.create_user(connection, "s@x.org", now=NOW)
        project = tenancy.create_project(connection, other.id, "web", now=NOW)
        with pytest.raises(UserError, match="Only members"):
            tenancy.add_team_member(connection, team, stranger.id)
        with pytest.raises(NotFound):
            tenancy.add_team_project(connection, team, project.id)


def test_who_leaves_an_organization_leaves_its_teams(metadata: Metadata) -> None:
    with metadata.begin() as connection:
        org = tenancy.create_organization(connection, "acme", now=NOW)
        team = tenancy.create_team(connection, org.id, "core", now=NOW)
        user = tenancy.create_user(connection, "a@x.org", now=NOW)
        tenancy.add_member(connection, org.id, user.id, Role.MEMBER, now=NOW)
        tenancy.add_member(connection, org.id, user.id, Role.OWNER, now=NOW)
        tenancy.add_team_member(connection, team, user.id)
        assert [member.role for member in tenancy.list_members(connection, org.id)] == [Role.OWNER]
        assert tenancy.teams_of(connection, org.id, user.id) == [team]
        tenancy.remove_member(connection, org.id, user.id)
        assert tenancy.teams_of(connection, org.id, user.id) == []
        assert tenancy.role_of(connection, org.id, user.id) is None


async def test_run_gives_the_value_and_raises_the_error(sqlite_metadata: Metadata) -> None:
    org = await sqlite_metadata.run(tenancy.create_organization, "acme", now=NOW)
    assert await sqlite_metadata.run(tenancy.get_organization, "acme") == org
    with pytest.raises(NotFound):
        await sqlite_metadata.run(tenancy.get_organization, "nope")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "http://x"])
def test_an_address_of_no_known_database_is_refused(url: str) -> None:
    with pytest.raises(StartupError, match="GROUNDSWELL_DATABASE_URL must be empty or"):
        Metadata.open(url)
