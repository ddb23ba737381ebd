"""Proves each piece of a workspace's connection, one after the other, with the fix for each."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from groundswell.config import Settings
from groundswell.slack.images import is_public
from groundswell.slack.manifest import BOT_SCOPES
from groundswell.slack.messages.unfurls import Told, chart_unfurl
from groundswell.slack.outbound import Outbound, SlackError
from groundswell.slack.vault import Vault
from groundswell.store.metadata.slack import Installation

_IMAGE_ALT = "A test image of Groundswell"


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece: whether it works, what was seen, and what to do where it does not."""

    name: str
    ok: bool
    text: str
    fix: str = ""


class Doctor:
    """Examines one workspace. channel: where it may write; without one nothing is posted."""

    def __init__(
        self,
        outbound: Outbound,
        bot_token: str,
        base_url: str,
        *,
        app_token: str = "",
        channel: str = "",
    ) -> None:
        self._outbound = outbound
        self._token = bot_token
        self._base_url = base_url
        self._app_token = app_token
        self._channel = channel
        self._file = ""
        self._posted = ""

    async def examine(self) -> list[Finding]:
        """Look at everything; a piece that rests on a broken one is still tried."""
        found = [await self._token_works()]
        if found[0].ok:
            found.append(await self._scopes())
            found.append(await self._upload())
            if self._channel:
                found += [await self._post(), await self._unfurl()]
                found.append(await self._file_in_message())
        found.append(await self._socket())
        found.append(self._images())
        return found

    async def _token_works(self) -> Finding:
        async def work() -> str:
            told = await self._outbound.call(self._token, "auth.test", tries=2)
            return f"{told.get('team')} ({told.get('team_id')}) as {told.get('user')}"

        fix = "Install the app again and pass its new token to `groundswell slack install`."
        return await _try("token", work, fix)

    async def _scopes(self) -> Finding:
        """Probe what scopes allow: a missing one is named by Slack."""
        probes: tuple[tuple[str, dict[str, str]], ...] = (
            ("users.info", {"user": "U0"}),
            ("team.info", {}),
            ("files.info", {"file": "F0"}),
            ("conversations.info", {"channel": "C0"}),
        )
        missing = set()
        for method, arguments in probes:
            try:
                await self._outbound.call(self._token, method, tries=1, **arguments)
            except SlackError as error:
                if error.error == "missing_scope":
                    missing.add(str(error.answer.get("needed", method)))
        text = f"missing: {', '.join(sorted(missing))}" if missing else "nothing is missing"
        fix = f"Add the scopes in the app's settings ({', '.join(BOT_SCOPES)}) and reinstall."
        return Finding("scopes", not missing, text, fix if missing else "")

    async def _post(self) -> Finding:
        async def work() -> str:
            told = await self._outbound.call(
                self._token, "chat.postMessage", channel=self._channel,
                text="Groundswell is checking its connection to Slack.",
            )  # fmt: skip
            self._posted = str(told.get("ts", ""))
            return f"posted to {self._channel}"

        return await _try("post", work, "Invite the app to the channel: /invite @Groundswell")

    async def _upload(self) -> Finding:
        async def work() -> str:
            self._file = await self._outbound.upload(self._token, "check.png", _dot(), _IMAGE_ALT)
            return f"uploaded {self._file}"

        return await _try("upload", work, "Add files:write and files:read, then reinstall.")

    async def _unfurl(self) -> Finding:
        """Slack must know the method and let us call it; a message without our link cannot
        unfurl, so `cannot_unfurl_url` is the answer of a healthy app."""

        async def work() -> str:
            told = Told(self._base_url + "/", "Check", "A check of Groundswell.")
            try:
                await self._outbound.call(
                    self._token, "chat.unfurl", tries=1, channel=self._channel,
                    ts=self._posted or "0", unfurls={told.url: chart_unfurl(told)},
                )  # fmt: skip
            except SlackError as error:
                if error.error not in {"cannot_unfurl_url", "cannot_find_message"}:
                    raise
            return "links may be unfurled"

        return await _try("unfurl", work, "Add links:read and links:write, then reinstall.")

    async def _file_in_message(self) -> Finding:
        async def work() -> str:
            if not self._file or not self._posted:
                return "not tried"
            block = {"type": "image", "slack_file": {"id": self._file}, "alt_text": _IMAGE_ALT}
            await self._outbound.call(
                self._token, "chat.update", channel=self._channel, ts=self._posted,
                text=_IMAGE_ALT, blocks=[block],
            )  # fmt: skip
            return "uploaded files show in messages; in unfurls the first link will tell"

        return await _try("slack_file", work, "Set GROUNDSWELL_SLACK_IMAGES=url or none.")

    async def _socket(self) -> Finding:
        if not self._app_token:
            return Finding("socket", ok=True, text="not used: events come over HTTP")

        async def work() -> str:
            await self._outbound.call(self._app_token, "apps.connections.open", tries=1)
            return "connections may be opened"

        fix = "Make an app-level token with connections:write and set SLACK_APP_TOKEN."
        return await _try("socket", work, fix)

    def _images(self) -> Finding:
        if is_public(self._base_url):
            return Finding("images", ok=True, text=f"Slack fetches them from {self._base_url}")

        return Finding(
            "images",
            ok=True,
            text="this address cannot be reached by Slack: charts are uploaded as files",
        )


async def examine_installed(
    settings: Settings,
    secret_keys: Sequence[str],
    installed: Sequence[Installation],
    *,
    team: str | None = None,
    channel: str = "",
) -> list[Finding]:
    """Examine one of the installed workspaces, or the token of the settings."""
    chosen = [one for one in installed if team in {None, one.team}]
    token: str | None = settings.text("SLACK_BOT_TOKEN")
    if len(chosen) == 1:
        token = Vault(secret_keys).unlock(chosen[0].token)
        if token is None:
            fix = "Run `groundswell slack install` again: SECRET_KEY has changed."
            return [Finding("token", ok=False, text="the stored token cannot be read", fix=fix)]
    if not token:
        names = ", ".join(one.team for one in installed) or "none"
        fix = "Run `groundswell slack manifest`, then `groundswell slack install`."
        return [Finding("installation", ok=False, text=f"installed: {names}", fix=fix)]

    outbound = Outbound(settings.text("SLACK_API_URL"))
    try:
        app_token = settings.text("SLACK_APP_TOKEN")
        doctor = Doctor(outbound, token, settings.base_url, app_token=app_token, channel=channel)
        return await doctor.examine()
    finally:
        await outbound.close()


async def _try(name: str, work: Callable[[], Awaitable[str]], fix: str) -> Finding:
    try:
        return Finding(name, ok=True, text=await work())
    except SlackError as error:
        return Finding(name, ok=False, text=str(error), fix=fix)


def _dot() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "#4C5FD5").save(buffer, "PNG")
    return buffer.getvalue()
