"""The methods of Slack's Web API that we call: (world, token, arguments) → answer.

A refusal is an answer too: `{"ok": false, "error": …}`, with the words that Slack uses.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from groundswell.slack.simulator.block_kit import images, problems
from groundswell.slack.simulator.world import File, Message, World

Answer = dict[str, Any]
Method = Callable[["Api", Mapping[str, Any]], Awaitable[Answer]]
_JSON_ARGUMENTS = ("blocks", "attachments", "unfurls", "files", "metadata", "user_auth_blocks")


class Refused(Exception):
    """Raised when Slack would answer `ok: false` with this error."""

    def __init__(self, error: str, *messages: str, **extra: Any) -> None:
        super().__init__(error)
        self.answer: Answer = {"ok": False, "error": error, **extra}
        if messages:
            self.answer["response_metadata"] = {"messages": list(messages)}


class Api:
    """Answers calls against one world; `origin` is the simulator's own address."""

    def __init__(self, world: World, origin: str) -> None:
        self.world = world
        self.origin = origin

    async def call(self, name: str, token: str, given: Mapping[str, Any]) -> Answer:
        """Check token and scopes, run the method and give its answer."""
        try:
            answer = {"ok": True, **await self._checked(name, token, decoded(given))}
        except Refused as refusal:
            answer = refusal.answer
            reasons = answer.get("response_metadata", {}).get("messages", [])
            self.world.refusals.append(f"{name}: {answer['error']} {'; '.join(reasons)}".strip())
        return answer

    async def _checked(self, name: str, token: str, args: Mapping[str, Any]) -> Answer:
        row = METHODS.get(name)
        if row is None:
            raise Refused("unknown_method")

        if not token:
            raise Refused("not_authed")

        if token in self.world.behaviour.revoked:
            raise Refused("token_revoked")

        scopes = self.world.tokens.get(token)
        if scopes is None:
            raise Refused("invalid_auth")

        needed, method = row
        if needed and needed not in scopes:
            raise Refused("missing_scope", needed=needed, provided=",".join(sorted(scopes)))

        return await method(self, args)

    async def check_blocks(self, blocks: object, *, in_unfurl: bool = False) -> None:
        found = problems(blocks)
        if not found:
            assert isinstance(blocks, list)
            for image in images(blocks):
                problem = await self._image_problem(image, in_unfurl=in_unfurl)
                if problem:
                    found.append(problem)
        if found:
            raise Refused("invalid_blocks", *found)

    async def _image_problem(self, image: Mapping[str, Any], *, in_unfurl: bool) -> str | None:
        behaviour = self.world.behaviour
        if "slack_file" in image:
            if in_unfurl and not behaviour.slack_file_in_unfurl:
                return "slack_file is not supported here"
            file = self.world.files.get(image["slack_file"].get("id", ""))
            ready = file is not None and file.is_complete and self.world.clock() >= file.ready_at
            return None if ready else "invalid slack file"

        url = image["image_url"]
        if behaviour.fetches_images == "never":
            return f"downloading image failed: {url}"

        if behaviour.fetches_images == "https" and not url.startswith("https://"):
            return f"image_url must be https: {url}"

        timeout = aiohttp.ClientTimeout(total=5)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url) as response,
            ):
                body = await response.content.read(8)
                is_image = response.content_type.startswith("image/") and bool(body)
                return None if response.status == 200 and is_image else "not an image: " + url
        except (aiohttp.ClientError, ValueError, TimeoutError) as error:
            return f"downloading image failed: {error}"


def decoded(given: Mapping[str, Any]) -> dict[str, Any]:
    """Read arguments that forms carry as JSON text."""
    args = dict(given)
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            try:
                args[name] = json.loads(args[name])
            except ValueError:
                raise Refused("invalid_arguments", f"{name} is not JSON") from None
    return args


async def auth_test(api: Api, args: Mapping[str, Any]) -> Answer:
    world = api.world
    return {
        "url": "https://simulated.slack.com/",
        "team": world.team_name,
        "team_id": world.team,
        "user": "groundswell",
        "user_id": world.bot_user,
        "bot_id": world.bot_id,
        "is_enterprise_install": False,
    }


async def post_message(api: Api, args: Mapping[str, Any]) -> Answer:
    channel = await _checked_message(api, args)
    world = api.world
    now = world.clock()
    if world.behaviour.limits_messages and now - world.last_post.get(channel, -9.0) < 1.0:
        raise Refused("ratelimited")

    world.last_post[channel] = now
    message = Message(
        channel,
        world.next_ts(),
        world.bot_user,
        str(args.get("text", "")),
        list(args.get("blocks") or []),
        list(args.get("attachments") or []),
        thread_ts=args.get("thread_ts"),
        is_broadcast=bool(args.get("reply_broadcast")),
    )
    if message.thread_ts and world.message(channel, message.thread_ts) is None:
        raise Refused("thread_not_found")

    world.messages.append(message)
    return {"channel": channel, "ts": message.ts, "message": {"text": message.text}}


async def post_ephemeral(api: Api, args: Mapping[str, Any]) -> Answer:
    channel = await _checked_message(api, args)
    user = args.get("user")
    if user not in api.world.users:
        raise Refused("user_not_in_channel")

    message = Message(
        channel,
        api.world.next_ts(),
        api.world.bot_user,
        str(args.get("text", "")),
        list(args.get("blocks") or []),
        only_for=str(user),
    )
    api.world.messages.append(message)
    return {"message_ts": message.ts}


async def update(api: Api, args: Mapping[str, Any]) -> Answer:
    channel = await _checked_message(api, args)
    message = api.world.message(channel, str(args.get("ts")))
    if message is None:
        raise Refused("message_not_found")

    if message.user != api.world.bot_user:
        raise Refused("cant_update_message")

    message.text = str(args.get("text", message.text))
    message.blocks = list(args.get("blocks") or [])
    message.attachments = list(args.get("attachments") or [])
    message.edits += 1
    return {"channel": channel, "ts": message.ts, "text": message.text}


async def unfurl(api: Api, args: Mapping[str, Any]) -> Answer:
    message = _unfurl_target(api.world, args)
    unfurls = args.get("unfurls") or {}
    asks_to_link = args.get("user_auth_required") in {True, "true", "1"}
    if not isinstance(unfurls, dict) or not (unfurls or asks_to_link):
        raise Refused("missing_unfurls")

    for url, body in unfurls.items():
        if url not in message.links:
            raise Refused("cannot_unfurl_url", f"{url} is not in the message")
        if not isinstance(body, dict) or ("blocks" in body and "text" in body):
            raise Refused("cannot_parse_attachment")
        if "blocks" in body:
            await api.check_blocks(body["blocks"], in_unfurl=True)
    if "user_auth_blocks" in args:
        await api.check_blocks(args["user_auth_blocks"])
    if asks_to_link:
        names = ("user_auth_url", "user_auth_message", "user_auth_blocks")
        message.auth_prompt = {name: args[name] for name in names if args.get(name)}
    if unfurls:
        message.unfurls = {**message.unfurls, **unfurls}
        message.unfurl_history.append(dict(unfurls))
    return {}


def _unfurl_target(world: World, args: Mapping[str, Any]) -> Message:
    if args.get("unfurl_id"):
        if args.get("source") not in {"composer", "conversations_history"}:
            raise Refused("invalid_source")
        found = next((m for m in world.messages if m.ts == args["unfurl_id"]), None)
    else:
        found = world.message(str(args.get("channel")), str(args.get("ts")))
    if found is None:
        raise Refused("cannot_find_message")

    return found


async def upload_url(api: Api, args: Mapping[str, Any]) -> Answer:
    length = int(args.get("length") or 0)
    if not args.get("filename") or length <= 0:
        raise Refused("invalid_arguments", "filename and length are needed")

    file = File(api.world.next_id("F"), str(args["filename"]), length, str(args.get("alt_txt", "")))
    api.world.files[file.id] = file
    return {"upload_url": f"{api.origin}/upload/{file.id}", "file_id": file.id}


async def complete_upload(api: Api, args: Mapping[str, Any]) -> Answer:
    files = args.get("files")
    if not isinstance(files, list) or not files:
        raise Refused("invalid_arguments", "files is needed")

    done = []
    for entry in files:
        file = api.world.files.get(str(entry.get("id")))
        if file is None or file.content is None:
            raise Refused("file_not_found")
        file.is_complete = True
        file.ready_at = api.world.clock() + api.world.behaviour.file_ready_after_s
        done.append({"id": file.id, "title": entry.get("title", file.name)})
    return {"files": done}


async def file_info(api: Api, args: Mapping[str, Any]) -> Answer:
    file = api.world.files.get(str(args.get("file")))
    if file is None or not file.is_complete:
        raise Refused("file_not_found")

    ready = api.world.clock() >= file.ready_at
    return {"file": {"id": file.id, "name": file.name, "mimetype": "image/png" if ready else ""}}


async def channel_info(api: Api, args: Mapping[str, Any]) -> Answer:
    channel = api.world.channels.get(str(args.get("channel")))
    if channel is None:
        raise Refused("channel_not_found")

    return {"channel": channel}


async def open_dm(api: Api, args: Mapping[str, Any]) -> Answer:
    user = str(args.get("users", ""))
    if user not in api.world.users:
        raise Refused("user_not_found")

    channel = "D" + user[1:]
    api.world.channels.setdefault(channel, {"id": channel, "is_im": True, "is_member": True})
    return {"channel": {"id": channel}}


async def user_info(api: Api, args: Mapping[str, Any]) -> Answer:
    user = api.world.users.get(str(args.get("user")))
    if user is None:
        raise Refused("user_not_found")

    return {"user": user}


async def team_info(api: Api, args: Mapping[str, Any]) -> Answer:
    return {"team": {"id": api.world.team, "name": api.world.team_name, "domain": "simulated"}}


async def open_connection(api: Api, args: Mapping[str, Any]) -> Answer:
    return {"url": api.origin.replace("http", "ws", 1) + "/socket"}


async def _checked_message(api: Api, args: Mapping[str, Any]) -> str:
    channel = str(args.get("channel", ""))
    if channel in api.world.users:
        channel = (await open_dm(api, {"users": channel}))["channel"]["id"]
    known = api.world.channels.get(channel)
    if known is None:
        raise Refused("channel_not_found")

    if known.get("is_archived"):
        raise Refused("is_archived")

    if not known.get("is_member") and known.get("is_private"):
        raise Refused("not_in_channel")

    if not (args.get("text") or args.get("blocks") or args.get("attachments")):
        raise Refused("no_text")

    if len(str(args.get("text", ""))) > 40_000:
        raise Refused("msg_too_long")

    if args.get("blocks"):
        await api.check_blocks(args["blocks"])
    for attachment in args.get("attachments") or []:
        if "blocks" in attachment:
            await api.check_blocks(attachment["blocks"])
    return channel


METHODS: dict[str, tuple[str, Method]] = {
    "auth.test": ("", auth_test),
    "chat.postMessage": ("chat:write", post_message),
    "chat.postEphemeral": ("chat:write", post_ephemeral),
    "chat.update": ("chat:write", update),
    "chat.unfurl": ("links:write", unfurl),
    "files.getUploadURLExternal": ("files:write", upload_url),
    "files.completeUploadExternal": ("files:write", complete_upload),
    "files.info": ("files:read", file_info),
    "conversations.info": ("channels:read", channel_info),
    "conversations.open": ("im:write", open_dm),
    "users.info": ("users:read", user_info),
    "team.info": ("team:read", team_info),
    "apps.connections.open": ("connections:write", open_connection),
}
