"""What never reaches the store: by default, and as projects set it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from groundswell.ingest.records import ProjectOptions
from tests.unit.ingest.normalize.building import (
    error,
    row,
    scrubbing,
    span_payload,
    spanned,
    transaction,
)

GONE = "[Filtered]"


def stored(options: ProjectOptions | None = None, **event: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(error(options=options, **event)["payload"])
    return found


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "user_PASSWORD_2",
        "secret",
        "passwd",
        "api_key",
        "API-Key",
        "apikey",
        "Authorization",
        "credentials",
        "mysql_pwd",
        "private_key",
        "privatekey",
        "access_token",
        "otp",
        "two-factor",
        "two_factor",
    ],
)
def test_values_of_sensitive_keys_go(key: str) -> None:
    found = stored(
        extra={"deep": [{key: "x"}], "plain": "y"},
        contexts={"order": {key: {"a": 1}}},
        tags={key: "x"},
        exception={"type": "A", "stacktrace": {"frames": [{"vars": {key: 1, "n": "17"}}]}},
    )
    assert found["extra"] == {"deep": [{key: GONE}], "plain": "y"}
    assert found["contexts"]["order"] == {key: GONE}
    assert found["tags"] == {key: GONE}
    assert found["exception"]["stacktrace"]["frames"][0]["vars"] == {key: GONE, "n": "17"}


@pytest.mark.parametrize("key", ["name", "otp_length", "keyboard", "monkey", "pin"])
def test_values_of_other_keys_stay(key: str) -> None:
    assert stored(extra={key: "x"})["extra"] == {key: "x"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization Bearer abc.def-1", f"Authorization {GONE}"),
        ("card 4111 1111 1111 1111 ok", f"card {GONE} ok"),
        ("card 378282246310005", f"card {GONE}"),
        ("iban DE89 3704 0044 0532 0130 00", f"iban {GONE}"),
        ("ssn 078-05-1120.", f"ssn {GONE}."),
        ("postgres://ann:hunter2@db/shop", f"postgres://{GONE}@db/shop"),
        ("https://x/?token=abc&q=1", f"https://x/?token={GONE}&q=1"),
        ("order 123456789 of 2026-11-21", "order 123456789 of 2026-11-21"),
        ("mail ann@example.com", "mail ann@example.com"),
    ],
)
def test_secrets_in_free_text_go(text: str, left: str) -> None:
    assert stored(extra={"note": text})["extra"] == {"note": left}


def test_messages_say_what_was_there() -> None:
    found = error(
        logentry={"formatted": "ann@example.com paid with 4111111111111111 and Bearer abc"},
    )
    assert found["title"] == "[email] paid with [creditcard] and Bearer [token]"
    assert found["message"] == found["title"]


def test_exception_values_keep_addresses_but_not_cards() -> None:
    found = error(exception={"type": "A", "value": "ann@example.com 4111111111111111"})
    assert found["exception_values"] == ["ann@example.com [creditcard]"]


def test_requests_lose_cookies_query_values_and_headers() -> None:
    request = stored(
        request={
            "url": "https://u:p@x.example.com/a?password=1",
            "query_string": "q=1&token=abc",
            "cookies": {"sessionid": "x", "theme": "dark"},
            "headers": [["Authorization", "x"], ["User-Agent", "Mozilla"], ["X-Api-Key", "y"]],
            "data": {"password": "x", "n": 1},
        }
    )["request"]
    assert request == {
        "url": f"https://{GONE}@x.example.com/a?password={GONE}",
        "query_string": f"q=1&token={GONE}",
        "cookies": {"sessionid": GONE, "theme": "dark"},
        "headers": [["Authorization", GONE], ["User-Agent", "Mozilla"], ["X-Api-Key", GONE]],
        "data": {"password": GONE, "n": 1},
    }


def test_cookie_texts_lose_sessions() -> None:
    request = stored(request={"cookies": "theme=dark; PHPSESSID=abc; csrf=1"})["request"]
    assert request["cookies"] == f"theme=dark; PHPSESSID={GONE}; csrf={GONE}"


def test_breadcrumbs_and_descriptions_are_free_text() -> None:
    crumbs = stored(breadcrumbs=[{"message": "Bearer abc", "data": {"url": "//a:b@c"}}])
    assert crumbs["breadcrumbs"]["values"][0]["message"] == GONE
    span = span_payload(1, 1, 2, op="http.client", description="GET https://u:pw@x.example.com/")
    found = row(spanned([span]), "spans")
    assert found["description"] == f"GET https://{GONE}@x.example.com/"
    assert found["normalized_description"] == "GET https://*.example.com"


def test_code_locations_and_sdk_stay() -> None:
    frame = {"filename": "auth/token.py", "abs_path": "/auth/token.py", "function": "auth"}
    found = stored(
        exception={"type": "A", "stacktrace": {"frames": [frame]}},
        sdk={"name": "x", "integrations": ["auth"]},
        modules={"auth-lib": "1.0"},
    )
    assert found["exception"]["stacktrace"]["frames"] == [frame]
    assert found["modules"] == {"auth-lib": "1.0"}


def test_identity_columns_stay() -> None:
    found = error(user={"email": "ann@example.com", "ip_address": "203.0.113.9"})
    assert (found["user_email"], found["user_ip"]) == ("ann@example.com", "203.0.113.9")


def test_a_project_adds_keys_patterns_and_exceptions() -> None:
    options = scrubbing(keys=("Color",), safe_keys=("auth_kind",), patterns=(r"ORD-\d+", "("))
    found = stored(options, extra={"my_COLOR": "red", "auth_kind": "x", "note": "ORD-17 shipped"})
    assert found["extra"] == {"my_COLOR": GONE, "auth_kind": "x", "note": f"{GONE} shipped"}


def test_a_project_can_turn_it_off() -> None:
    event = {"extra": {"password": "x", "note": "Bearer abc"}}
    assert stored(scrubbing(enabled=False), **event)["extra"] == event["extra"]
    only_own = scrubbing(defaults=False, keys=("note",))
    assert stored(only_own, **event)["extra"] == {"password": "x", "note": GONE}


def test_addresses_go_everywhere_when_asked() -> None:
    options = scrubbing(ip_addresses=True)
    found = error(
        options=options,
        user={"id": 1, "ip_address": "203.0.113.9"},
        request={"env": {"REMOTE_ADDR": "203.0.113.9"}},
        message="from 203.0.113.9 at 2001:db8::1:2",
        extra={"peer": "203.0.113.9:80"},
    )
    assert "203.0.113.9" not in str(found)
    assert "2001:db8" not in str(found)
    assert found["title"] == "from [ip] at [ip]"
    assert transaction(options=options, user={"ip_address": "203.0.113.9"})["user"] == ""
