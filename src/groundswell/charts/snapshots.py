"""Images for readers without a login: kept under 128 random bits, apart from what they show."""

from __future__ import annotations

import functools
import io
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from groundswell.model.tenancy import OrgId, ProjectId
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import snapshots as rows

_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Snapshots:
    """Stores and finds the images of this service."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def store(
        self,
        png: bytes,
        *,
        org_id: OrgId,
        project_ids: Iterable[ProjectId],
        now: datetime,
        installation: str | None = None,
    ) -> str:
        """Keep an image and give its path below the service's address: `/c/<name>.png`.

        installation: the chat workspace it was made for, so that it can be revoked with it.
        """
        name = secrets.token_hex(16)
        await self._metadata.run(
            rows.add,
            name,
            png,
            org_id=org_id,
            project_ids=tuple(project_ids),
            installation=installation,
            now=now,
        )
        return f"/c/{name}.png"

    async def find(self, name: str) -> bytes | None:
        """Give an image by its name, None when there is none (any more)."""
        return await self._metadata.run(rows.find, name) if is_name(name) else None

    async def revoke_installation(self, installation: str) -> int:
        """Drop the images made for one chat workspace."""
        return await self._metadata.run(rows.revoke_installation, installation)

    async def revoke_project(self, project_id: ProjectId) -> int:
        """Drop the images that show data of a project."""
        return await self._metadata.run(rows.revoke_project, project_id)

    async def revoke_older(self, before: datetime) -> int:
        """Drop images past the retention."""
        return await self._metadata.run(rows.revoke_older, before)


def is_name(name: str) -> bool:
    """Say whether this could be the name of an image."""
    return _NAME.fullmatch(name) is not None


@functools.cache
def placeholder() -> bytes:
    """Draw the image that stands for one that is gone: old messages show it instead of a hole."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (800, 400), "#F6F7F9")
    font = ImageFont.truetype(Path(__file__).with_name("fonts") / "Inter-Regular.otf", 22)
    text = "This chart is no longer available"
    ImageDraw.Draw(image).text((400, 200), text, fill="#5B6470", font=font, anchor="mm")
    buffer = io.BytesIO()
    image.quantize(16).save(buffer, "PNG", compress_level=9)
    return buffer.getvalue()
