"""The request of an event → method, URL and referer columns."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from groundswell.ingest.normalize.shapes import sequence, text

MAX_URL = 2048
_METHOD = re.compile(r"[A-Za-z-]{1,32}\Z")
_NAMED_METHOD = re.compile(
    r"(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH)\s", re.IGNORECASE
)
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


class Request(NamedTuple):
    method: str = ""
    url: str = ""
    referer: str = ""


NO_REQUEST = Request()


def request_of(request: dict[str, Any]) -> Request:
    if not request:
        return NO_REQUEST
    method = text(request.get("method"))
    return Request(
        method.upper() if _METHOD.match(method) else "",
        bare_url(text(request.get("url"), MAX_URL)),
        bare_url(text(header(request.get("headers"), "referer"), MAX_URL)),
    )


def header(headers: Any, name: str) -> Any:
    """One header by its lower-case name; SDKs send an object or a list of pairs."""
    entries = headers.items() if type(headers) is dict else sequence(headers)
    for entry in entries:
        if len(entry) == 2 and type(entry[0]) is str and entry[0].lower() == name:
            return entry[1][0] if type(entry[1]) is list and entry[1] else entry[1]
    return None


def user_agent(request: dict[str, Any]) -> str:
    return text(header(request.get("headers"), "user-agent"), 1024)


@lru_cache(8192)
def bare_url(url: str) -> str:
    """A URL without query, fragment and credentials."""
    bare = url.split("?", 1)[0].split("#", 1)[0]
    return _CREDENTIALS.sub("", bare) if "@" in bare else bare


def method_of_name(name: str) -> str:
    """The method in front of a transaction name ("GET /users"), if there is one."""
    found = _NAMED_METHOD.match(name)
    return found.group(1).upper() if found else ""
