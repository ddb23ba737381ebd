"""What a slug, a name and an e-mail address may look like."""

from __future__ import annotations

import re

from groundswell.errors import UserError

_SLUG = re.compile(r"(?!\d+$)[a-z0-9_][a-z0-9_-]{0,49}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_EMAIL_LENGTH = 254
_NAME_LENGTH = 128
_ID_DIGITS = 18


def slug_of(text: str) -> str:
    """Check a slug. Raises UserError that says what is allowed."""
    if _SLUG.fullmatch(text):
        return text

    raise UserError(
        f"{text!r} is not a valid slug: use 1 to 50 lowercase letters, digits, hyphens or "
        "underscores, with at least one that is not a digit, not starting with a hyphen.",
        code="invalid_slug",
        field="slug",
    )


def name_of(text: str | None, slug: str) -> str:
    """Check a name; the slug stands in for none. Raises UserError."""
    name = (text or "").strip() or slug
    if len(name) > _NAME_LENGTH:
        raise UserError(f"name must be at most {_NAME_LENGTH} characters.", field="name")

    return name


def email_of(text: str) -> str:
    """Check an address and give it in lower case. Raises UserError."""
    email = text.strip().lower()
    if _EMAIL.fullmatch(email) and len(email) <= _EMAIL_LENGTH:
        return email

    raise UserError(f"{text!r} is not an e-mail address.", code="invalid_email", field="email")


def is_id(slug_or_id: str | int) -> bool:
    """Tell an id from a slug, which is never all digits; ids fit the databases' integers."""
    text = str(slug_or_id)
    return text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS
