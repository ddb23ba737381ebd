"""What a project keeps out of its store: sensitive keys, and secrets inside free text.

Keys are judged once each and remembered; patterns run over free text only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from groundswell.ingest.normalize.shapes import values_of
from groundswell.ingest.records import Scrubbing

FILTERED = "[Filtered]"
_MEMORY = 50_000
MAX_DEPTH = 100

_SENSITIVE = re.compile(
    r"password|secret|passwd|api[_-]?key|auth|credentials|mysql_pwd|private[_-]?key|token"
    r"|^(?:otp|two[_-]factor)$",
    re.IGNORECASE,
)
_COOKIES = frozenset(
    [
        "sentrysid",
        "sudo",
        "su",
        "session",
        "__session",
        "sessionid",
        "user_session",
        "symfony",
        "phpsessid",
        "fasthttpsessionid",
        "mysession",
        "irissessionid",
        "_vercel_jwt",
        "csrf",
        "xsrf",
        "_xsrf",
        "_csrf",
        "csrf-token",
        "csrf_token",
        "xsrf-token",
        "xsrf_token",
        "fastcsrf",
        "_iris_csrf",
    ]
)
_EMAIL = (
    r"(?P<email>[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63})+)"
)
_SECRETS = r"""
    (?P<bearer>\bBearer\s+[^\s"']+)
  | (?P<url>(?<=://)[^/@\s:]+:[^/@\s]+(?=@))
  | (?P<pem>-----BEGIN[A-Z\ ]+(?:PRIVATE|PUBLIC)\ KEY-----[^-]*(?:-----END[A-Z\ ]+KEY-----)?)
  | (?<![\w.-])(?P<card>
      (?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6(?:011|5\d\d))[\ -]?\d{4}[\ -]?\d{4}[\ -]?\d{4}
    | 3[47]\d\d[\ -]?\d{6}[\ -]?\d{5}
    )(?![\w.-])
  | (?<![\w-])(?P<iban>[A-Z]{2}\d{2}(?:\ ?[A-Z0-9]{4}){3,7}(?:\ ?[A-Z0-9]{1,3})?)(?![\w-])
  | (?<![\w-])(?P<ssn>\d{3}-\d{2}-\d{4})(?![\w-])
"""
_IN_TEXT = re.compile(_SECRETS, re.VERBOSE)
_IN_MESSAGE = re.compile(_SECRETS + "|" + _EMAIL.replace("#", r"\#"), re.VERBOSE)
_SUSPECT = re.compile(r"Bearer|://[^/\s]*@|-----BEGIN|\d{3}[ -]?\d\d|[A-Z]{2}\d\d")
_SUSPECT_MESSAGE = re.compile(_SUSPECT.pattern + "|@")
_PAIR = re.compile(r"([^=&?;#\s]+)=([^&;#\s]*)")
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])"
    r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4}){1,7}(?![\w:])"
)
# Every breadcrumb has another one: they would fill the memory of texts.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|\+00:00)?").fullmatch
_LABELS = {
    "email": "[email]",
    "card": "[creditcard]",
    "iban": "[iban]",
    "ssn": "***",
    "bearer": "Bearer [token]",
    "pem": "[pemkey]",
    "url": FILTERED,
}
_KEPT_SUBTREES = frozenset({"debug_meta", "sdk", "modules", "_meta", "errors", "fingerprint"})
_FREE_TEXT = frozenset({"request", "extra", "breadcrumbs"})
_ADDRESS_KEYS = frozenset({"ip_address", "remote_addr", "client_ip", "user.ip_address"})


class Scrubber:
    """The rules of one project, compiled, with what they said about keys and texts so far."""

    def __init__(self, rules: Scrubbing) -> None:
        self.keeps_ip = not (rules.enabled and rules.ip_addresses)
        self._enabled = rules.enabled
        self._defaults = rules.enabled and rules.defaults
        self._names = tuple(k.lower() for k in rules.keys if k) if rules.enabled else ()
        self._safe = frozenset(k.lower() for k in rules.safe_keys)
        self._patterns = _compiled(rules.patterns) if rules.enabled else None
        self._keys: dict[str, bool] = {}
        self._texts: dict[str, str] = {}

    def is_sensitive(self, key: str) -> bool:
        known = self._keys.get(key)
        if known is None:
            known = self._judge(key)
            if len(self._keys) >= _MEMORY:
                self._keys.clear()
            self._keys[key] = known
        return known

    def texts(self, flat: dict[str, str]) -> dict[str, str]:
        """A flat map with the values of sensitive keys replaced."""
        for key in flat:
            if self.is_sensitive(key):
                return {k: FILTERED if self.is_sensitive(k) else v for k, v in flat.items()}
        return flat

    def free_text(self, value: str) -> str:
        """Free text without secrets: tokens, cards, keys, credentials, the project's patterns."""
        if not self._enabled or not value:
            return value
        known = self._texts.get(value)
        if known is None:
            known = self._clean(value, _SUSPECT, _IN_TEXT, lambda _: FILTERED)
            if len(self._texts) >= _MEMORY:
                self._texts.clear()
            self._texts[value] = known
        return known

    def message(self, value: str, *, emails: bool = True) -> str:
        """A message with what is sensitive replaced by its kind."""
        if not self._enabled or not value:
            return value
        if emails:
            return self._clean(value, _SUSPECT_MESSAGE, _IN_MESSAGE, _label)
        return self._clean(value, _SUSPECT, _IN_TEXT, _label)

    def tree(self, value: Any, free: bool = False) -> Any:
        """A JSON value without the values of sensitive keys; `free` subtrees are free text too."""
        if type(value) is str:
            return self.free_text(value) if free else value
        self._walk(value, free, 0)
        return value

    def _walk(self, value: Any, free: bool, depth: int) -> None:
        known = self._keys
        if type(value) is dict:
            for key, inner in value.items():
                if inner is None:
                    continue
                kind = type(inner)
                sensitive = known.get(key)
                if self.is_sensitive(key) if sensitive is None else sensitive:
                    value[key] = FILTERED
                elif kind is str:
                    if free and (key != "timestamp" or not _INSTANT(inner)):
                        value[key] = self.free_text(inner)
                elif kind is dict or kind is list:
                    if depth < MAX_DEPTH:
                        self._walk(inner, free, depth + 1)
                    else:
                        value[key] = FILTERED
        elif type(value) is list:
            if len(value) == 2 and type(value[0]) is str and self.is_sensitive(value[0]):
                # Headers and cookies also come as pairs.
                value[1] = FILTERED
                return
            for place, inner in enumerate(value):
                if type(inner) is str:
                    if free:
                        value[place] = self.free_text(inner)
                elif type(inner) is dict or type(inner) is list:
                    if depth < MAX_DEPTH:
                        self._walk(inner, free, depth + 1)
                    else:
                        value[place] = FILTERED

    def event(self, payload: dict[str, Any]) -> None:
        """Scrub an error event in place."""
        if not self._enabled:
            return
        for key, value in payload.items():
            if value is None or key in _KEPT_SUBTREES or type(value) is str:
                continue
            if key == "exception" or key == "threads":
                self._stacks(value)
            elif key == "stacktrace":
                self._frames(value)
            elif key == "logentry":
                self._logentry(value)
            elif key == "user":
                payload[key] = self._user(value)
            else:
                self._walk(value, key in _FREE_TEXT, 0)
        if type(payload.get("message")) is str:
            payload["message"] = self.message(payload["message"])
        request = payload.get("request")
        if type(request) is dict:
            self._request(request)

    def _judge(self, key: str) -> bool:
        if not self._enabled:
            return False
        lowered = key.lower()
        if lowered in self._safe:
            return False
        if any(name in lowered for name in self._names):
            return True
        if not self.keeps_ip and lowered in _ADDRESS_KEYS:
            return True
        return self._defaults and bool(_SENSITIVE.search(key))

    def _clean(
        self, value: str, suspect: re.Pattern[str], secrets: re.Pattern[str], label: Any
    ) -> str:
        if self._defaults:
            if suspect.search(value):
                value = secrets.sub(label, value)
            if "?" in value and "=" in value:
                value = _PAIR.sub(self._pair, value)
        if not self.keeps_ip:
            value = _ADDRESS.sub("[ip]", value)
        return self._patterns.sub(FILTERED, value) if self._patterns else value

    def _pair(self, match: re.Match[str]) -> str:
        return f"{match[1]}={FILTERED}" if self.is_sensitive(match[1]) else match[0]

    def _stacks(self, interface: Any) -> None:
        for entry in values_of(interface):
            if type(entry) is dict:
                if type(entry.get("value")) is str:
                    entry["value"] = self.message(entry["value"], emails=False)
                self._frames(entry.get("stacktrace"))
                if type(entry.get("mechanism")) is dict:
                    self._walk(entry["mechanism"].get("data"), False, 0)

    def _frames(self, stack: Any) -> None:
        frames = stack.get("frames") if type(stack) is dict else None
        for frame in frames if type(frames) is list else ():
            if type(frame) is dict and frame.get("vars"):
                self._walk(frame["vars"], False, 0)

    def _logentry(self, entry: Any) -> None:
        if type(entry) is dict:
            for key in ("message", "formatted"):
                if type(entry.get(key)) is str:
                    entry[key] = self.message(entry[key])

    def _user(self, user: Any) -> Any:
        if type(user) is dict and not self.keeps_ip:
            user.pop("ip_address", None)
        return self.tree(user)

    def _request(self, request: dict[str, Any]) -> None:
        if not self._defaults:
            return
        for key in ("query_string", "data"):
            if type(request.get(key)) is str:
                request[key] = _PAIR.sub(self._pair, request[key])
        cookies = request.get("cookies")
        if type(cookies) is dict:
            request["cookies"] = {
                k: FILTERED if k.lower() in _COOKIES else v for k, v in cookies.items()
            }
        elif type(cookies) is str:
            request["cookies"] = _PAIR.sub(_cookie, cookies)
        elif type(cookies) is list:
            for pair in cookies:
                if type(pair) is list and len(pair) == 2 and str(pair[0]).lower() in _COOKIES:
                    pair[1] = FILTERED


def _label(match: re.Match[str]) -> str:
    return _LABELS[match.lastgroup or "url"]


def _cookie(match: re.Match[str]) -> str:
    return f"{match[1]}={FILTERED}" if match[1].lower() in _COOKIES else match[0]


def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    usable = []
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error:
            continue
        usable.append(f"(?:{pattern})")
    return re.compile("|".join(usable)) if usable else None


@lru_cache(1024)
def scrubber_for(rules: Scrubbing) -> Scrubber:
    """One scrubber per set of rules; they remember across batches."""
    return Scrubber(rules)
