"""User agents → the browser and system contexts that browsers do not send themselves."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# The first that matches names the browser: most claim to be several.
_BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/([\d.]+)")),
    ("Opera", re.compile(r"\b(?:OPR|OPiOS)/([\d.]+)")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/([\d.]+)")),
    ("Firefox Mobile", re.compile(r"\b(?:Android|Mobile|Tablet);.*\bFirefox/([\d.]+)")),
    ("Firefox iOS", re.compile(r"\bFxiOS/([\d.]+)")),
    ("Firefox", re.compile(r"\bFirefox/([\d.]+)")),
    ("Electron", re.compile(r"\bElectron/([\d.]+)")),
    ("HeadlessChrome", re.compile(r"\bHeadlessChrome/([\d.]+)")),
    ("Chrome Mobile iOS", re.compile(r"\bCriOS/([\d.]+)")),
    ("Chrome Mobile WebView", re.compile(r"; wv\).*\bChrome/([\d.]+)")),
    ("Chrome Mobile", re.compile(r"\bChrome/([\d.]+) Mobile\b")),
    ("Chrome", re.compile(r"\bChrome/([\d.]+)")),
    ("Mobile Safari", re.compile(r"\b(?:iPhone|iPad|iPod)\b.*\bVersion/([\d.]+)")),
    ("Safari", re.compile(r"\bVersion/([\d.]+).*\bSafari/")),
    ("IE", re.compile(r"\b(?:MSIE |Trident/.*rv:)([\d.]+)")),
)
_SYSTEMS = (
    ("iOS", re.compile(r"\b(?:iPhone|iPad|iPod)\b.*? OS ([\d_]+)")),
    ("Android", re.compile(r"\bAndroid ?([\d.]*)")),
    ("Windows", re.compile(r"\bWindows NT ([\d.]+)")),
    ("Chrome OS", re.compile(r"\bCrOS \S+ ([\d.]+)")),
    ("Mac OS X", re.compile(r"\bMac OS X ([\d_.]+)")),
    ("Linux", re.compile(r"\bLinux\b()")),
)
_WINDOWS = {"10.0": "10", "6.3": "8.1", "6.2": "8", "6.1": "7", "6.0": "Vista", "5.1": "XP"}


def with_user_agent(contexts: dict[str, Any], user_agent: str) -> dict[str, Any]:
    """The contexts with `browser` and `os` filled in from the user agent where they are missing."""
    if not user_agent or ("browser" in contexts and "os" in contexts):
        return contexts
    return {**_contexts_of(user_agent[:512]), **contexts}


@lru_cache(4096)
def _contexts_of(user_agent: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, pattern in _BROWSERS:
        match = pattern.search(user_agent)
        if match:
            found["browser"] = _named(name, ".".join(match[1].split(".")[:3]))
            break
    for name, pattern in _SYSTEMS:
        match = pattern.search(user_agent)
        if match:
            version = match[1].replace("_", ".")
            found["os"] = _named(
                name, _WINDOWS.get(version, version) if name == "Windows" else version
            )
            break
    return found


def _named(name: str, version: str) -> dict[str, str]:
    return {"name": name, "version": version} if version else {"name": name}
