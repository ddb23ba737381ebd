"""The tree of a search: what was typed, before anything is known of fields. Printing it and
parsing that again gives the same tree; where a part stood is not part of its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

KeyKind: TypeAlias = Literal["name", "tag", "flag", "call"]


@dataclass(frozen=True, slots=True)
class Key:
    """The left side of a filter.

    name: the field, tag or function. kind: "name" for `level`, "tag" for `tags[level]`, "flag" for
    `flags[x]`, "call" for `count()`. args: of a call. tag_type: of `tags[x,number]`.
    """

    name: str
    kind: KeyKind = "name"
    args: tuple[str, ...] = ()
    tag_type: str = ""

    @property
    def text(self) -> str:
        """The key as people write it."""
        if self.kind == "call":
            return f"{self.name}({', '.join(self.args)})"

        if self.kind == "name":
            return f'"{self.name}"' if ":" in self.name or self.name == "has" else self.name

        inner = f'"{self.name}"' if ":" in self.name else self.name
        prefix = "tags" if self.kind == "tag" else "flags"
        return f"{prefix}[{inner},{self.tag_type}]" if self.tag_type else f"{prefix}[{inner}]"


@dataclass(frozen=True, slots=True)
class Text:
    """Free text: one phrase looked for in the message."""

    value: str
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """`key:value`. operator: "" or one of = != < <= > >=. items: the elements of a list, else None.
    quoted: whether the value stood in quotes, which makes it text (`""` is legal, a bare
    nothing is not)."""

    key: Key
    operator: str = ""
    value: str = ""
    items: tuple[str, ...] | None = None
    quoted: bool = False
    negated: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Has:
    """`has:key`."""

    key: Key
    negated: bool = False
    at: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of them; of nothing: everything."""

    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    items: tuple[Node, ...]


Node: TypeAlias = Text | Filter | Has | And | Or
EVERYTHING = And()
