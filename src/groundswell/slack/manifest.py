"""The app manifest that creates our Slack app with the scopes and events that we use. Pure.

https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlsplit

BOT_SCOPES = (
    *("links:read", "links:write", "chat:write", "chat:write.public", "commands"),
    *("files:write", "files:read", "im:history", "im:read", "im:write"),
    *("users:read", "users:read.email", "channels:read", "groups:read", "team:read"),
)
BOT_EVENTS = ("link_shared", "message.im", "app_home_opened", "app_uninstalled", "tokens_revoked")


def manifest(
    base_url: str, *, socket_mode: bool, name: str = "Groundswell", command: str = "/groundswell"
) -> dict[str, Any]:
    """Describe the app for one address and one of the two transports."""
    host = urlsplit(base_url).hostname or ""
    slack = f"{base_url}/extensions/slack"
    slash: dict[str, Any] = {
        "command": command,
        "description": "Link identities and teams",
        "usage_hint": "help",
        "should_escape": False,
    }
    events: dict[str, Any] = {"bot_events": list(BOT_EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if not socket_mode:
        slash["url"] = f"{slack}/commands/"
        events["request_url"] = f"{slack}/event/"
        interactivity["request_url"] = f"{slack}/action/"
        interactivity["message_menu_options_url"] = f"{slack}/options-load/"
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Charts, trends and alerts where you talk",
            "background_color": "#1F2933",
        },
        "features": {
            "bot_user": {"display_name": name, "always_online": True},
            "app_home": {
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
                "home_tab_enabled": False,
            },
            "slash_commands": [slash],
            # Slack unfurls no hosts without a dot.
            "unfurl_domains": [host] if "." in host else [],
        },
        "oauth_config": {"scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,
        },
    }


def create_url(described: dict[str, Any]) -> str:
    """Give the address that creates the app with one press."""
    text = json.dumps(described, separators=(",", ":"))
    return f"https://api.slack.com/apps?new_app=1&manifest_json={quote(text)}"
