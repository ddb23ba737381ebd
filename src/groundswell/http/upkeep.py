"""What administrators ask for, on an open store: the same for the running service and a command."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import ProjectId
from groundswell.store.lifecycle import deletion
from groundswell.store.lifecycle.backup import create_backup
from groundswell.store.lifecycle.check import check
from groundswell.store.metadata import tenancy

if TYPE_CHECKING:
    from groundswell.config import Settings
    from groundswell.store.engine import Engine
    from groundswell.store.metadata import Metadata


class Backup(msgspec.Struct, frozen=True, tag="backup"):
    """Write a backup to `target`, an absolute path."""

    target: str
    with_secret: bool = False


class Check(msgspec.Struct, frozen=True, tag="check"):
    """Look for damage."""


class DeleteProject(msgspec.Struct, frozen=True, tag="delete-project"):
    """Delete a project, by slug or id, with everything it sent."""

    org: str
    project: str


class DeletePerson(msgspec.Struct, frozen=True, tag="delete-person"):
    """Delete what is stored about one person in an organization, or some of its projects."""

    org: str
    kind: deletion.PersonKind
    value: str
    projects: tuple[str, ...] = ()


Work: TypeAlias = Backup | Check | DeleteProject | DeletePerson


@dataclass(frozen=True, slots=True)
class Store:
    """What upkeep works on."""

    settings: Settings
    engine: Engine
    metadata: Metadata

    @property
    def cluster(self) -> str:
        """The name of the cluster that the tables lie on, empty for one engine."""
        return self.settings.text("CLICKHOUSE_CLUSTER")


def perform(store: Store, work: Work) -> Any:
    """Do it and give what there is to say, as plain JSON. Blocks.

    A backup must not meet a batch on its way into the store. Raises UserError, StoreError.
    """
    match work:
        case Backup():
            return _backup(store, work)
        case Check():
            findings = check(store.engine, store.metadata, cluster=store.cluster)
            return [asdict(finding) for finding in findings]
        case DeleteProject():
            return _delete_project(store, work)
        case DeletePerson():
            return _delete_person(store, work)


def _backup(store: Store, work: Backup) -> dict[str, Any]:
    made = create_backup(
        store.engine,
        store.metadata,
        store.settings.data,
        Path(work.target),
        now=datetime.now(UTC),
        with_secret=work.with_secret,
    )
    return {"target": work.target, **asdict(made)}


def _delete_project(store: Store, work: DeleteProject) -> dict[str, Any]:
    with store.metadata.begin() as connection:
        project_id = _project_id(connection, work)
        # The keys go first: nothing more is accepted for it while its rows go.
        tenancy.delete_project(connection, project_id)
    gone = deletion.delete_project(store.engine, project_id, cluster=store.cluster)
    return {"project": str(project_id), **asdict(gone)}


def _project_id(connection: Connection, work: DeleteProject) -> ProjectId:
    """Find a project; one that is deleted already may still be named by its id."""
    owner = tenancy.get_organization(connection, work.org)
    try:
        return tenancy.get_project(connection, owner.id, work.project).id
    except NotFound:
        if not work.project.isascii() or not work.project.isdigit():
            raise UserError(f"There is no project {work.project} in {owner.slug}.") from None

    project_id = ProjectId(int(work.project))
    if tenancy.project_by_id(connection, project_id) is not None:
        raise UserError(f"The project {project_id} belongs to another organization.")

    return project_id


def _delete_person(store: Store, work: DeletePerson) -> dict[str, Any]:
    with store.metadata.begin() as connection:
        owner = tenancy.get_organization(connection, work.org)
        chosen = [tenancy.get_project(connection, owner.id, slug).id for slug in work.projects]
        if not work.projects:
            chosen = [project.id for project in tenancy.list_projects(connection, owner.id)]
    gone = deletion.delete_person(
        store.engine, chosen, work.kind, work.value, cluster=store.cluster
    )
    return {"projects": [str(project) for project in chosen], **asdict(gone)}
