"""JSON bodies → structs; what does not fit is refused field by field."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from groundswell.errors import UserError
from groundswell.http.failures import FieldErrors

T = TypeVar("T")

_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"missing required field `(\w+)`")


async def body_of(request: Request[Any, Any, Any], shape: type[T]) -> T:
    """Read the body of a request as one struct.

    Raises FieldErrors that names the field, UserError where the body is not JSON.
    """
    raw = await request.body()
    try:
        return msgspec.json.decode(raw or b"{}", type=shape)
    except msgspec.ValidationError as error:
        raise FieldErrors(_by_field(str(error))) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise UserError("The body must be JSON", code="bad_json") from None


def _by_field(text: str) -> dict[str, list[str]]:
    missing = _MISSING.search(text)
    place = _PLACE.search(text)
    path = place[1] if place else ""
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
        return {path: ["This field is required."]}

    said = _PLACE.sub("", text)
    return {path or "nonFieldErrors": [said]}
