"""Pieces of HTML: escaped text, JSON in colours, fields, curl lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

from .openapi import ORIGIN

Schema = dict[str, Any]
Field = tuple[str, Schema, str, bool, str]
"""Name, schema, description, whether it must be there, and where it goes."""

ENUM_SHOWN_MAX = 12


def text(value: str) -> str:
    return escape(value, quote=True)


def tag(name: str, content: str, **attributes: str) -> str:
    """An element; the content is HTML already."""
    shown = "".join(f' {key}="{text(value)}"' for key, value in attributes.items())
    return f"<{name}{shown}>{content}</{name}>"


def section(name: str, id_: str, content: str, kind: str = "part") -> str:
    """A section with its heading, to which links lead."""
    return tag("section", tag("h2", text(name), id=id_) + content, **{"class": kind})


def inline(said: str) -> str:
    """Text with `code`, **strong** and [links](#to) as HTML."""
    html = text(said)
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html)
    return re.sub(r"\[([^\]]+)\]\((#[\w.-]+)\)", r'<a href="\2">\1</a>', html)


def paragraphs(said: str) -> str:
    return "".join(f"<p>{inline(part)}</p>" for part in said.strip().split("\n\n") if part)


def code_block(code: str, kind: str) -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<pre{css} tabindex="0"><code>{text(code)}</code></pre>'


class JsonText:
    """JSON as a reader likes it: short lists and objects on one line, strings, numbers and words coloured."""

    WIDTH = 76
    _TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\b\d[\d.eE+-]*)')

    @classmethod
    def block(cls, value: Any) -> str:
        coloured = cls._TOKEN.sub(cls._colour, cls.lines(value))
        return f'<pre tabindex="0"><code>{coloured}</code></pre>'

    @classmethod
    def lines(cls, value: Any, indent: int = 0, used: int = 0) -> str:
        flat = json.dumps(value, ensure_ascii=False)
        if not isinstance(value, (dict, list)) or not value or len(flat) + indent + used <= cls.WIDTH:
            return flat
        pad, end = " " * (indent + 2), " " * indent
        if isinstance(value, list):
            inner = [cls.lines(each, indent + 2) for each in value]
            return "[\n" + ",\n".join(f"{pad}{each}" for each in inner) + f"\n{end}]"
        inner = [f'"{name}": {cls.lines(each, indent + 2, len(name) + 4)}' for name, each in value.items()]
        return "{\n" + ",\n".join(f"{pad}{each}" for each in inner) + f"\n{end}}}"

    @staticmethod
    def _colour(found: re.Match[str]) -> str:
        quoted, colon, word, number = found.groups()
        if quoted:
            kind = "k" if colon else "s"
            return f'<span class="{kind}">{escape(quoted, quote=False)}</span>{colon or ""}'
        return f'<span class="{"w" if word else "n"}">{word or number}</span>'


def fields(rows: Iterable[Field]) -> str:
    """A list of fields with their types."""
    return f'<dl class="fields">{"".join(_field(*row) for row in rows)}</dl>'


def _field(name: str, schema: Schema, said: str, required: bool, place: str) -> str:
    need = '<span class="need">required</span>' if required else ""
    where = f" in {place}" if place in ("path", "query", "header") else ""
    kind = f'<span class="type">{text(kind_of(schema) + where)}</span>'
    rest = " ".join(part for part in (inline(said), _limits(schema)) if part)
    return f"<div><dt>{text(name)}{kind}{need}</dt>{f'<dd>{rest}</dd>' if rest else ''}</div>"


def kind_of(schema: Schema) -> str:
    """A schema's type in a word or three."""
    if "anyOf" in schema:
        kinds = [kind_of(each) for each in schema["anyOf"]]
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if "const" in schema:
        return json.dumps(schema["const"])
    return str(schema.get("type", "any"))


def _limits(schema: Schema) -> str:
    part = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    said = []
    choice = part.get("enum") or part.get("items", {}).get("enum")
    if choice:
        shown = [f"<code>{text(str(each))}</code>" for each in choice[:ENUM_SHOWN_MAX]]
        said.append(" ".join(shown) + (" …" if len(choice) > ENUM_SHOWN_MAX else ""))
    if "minimum" in part or "maximum" in part:
        said.append(f"{part.get('minimum', 0):,} to {part.get('maximum', 0):,}.")
    if "multipleOf" in part:
        said.append(f"A multiple of {part['multipleOf']}.")
    if "maxLength" in part:
        said.append(f"{part.get('minLength', 0):,} to {part['maxLength']:,} characters.")
    if schema.get("default") not in (None, "", [], False):
        said.append(f"Default <code>{text(str(schema['default']))}</code>.")
    return " ".join(said)


def curl(method: str, path: str, body: Any, *, keyless: bool = False) -> str:
    """The line that sends this request."""
    lines = [f'curl{"" if method == "GET" else f" -X {method}"} "{ORIGIN}{path}"']
    if not keyless:
        lines.append('-H "Authorization: Bearer $KEY"')
    if body is not None:
        lines.append('-H "Content-Type: application/json"')
        quoted = JsonText.lines(body).replace("'", "'\\''")
        lines.append(f"-d '{quoted}'")
    return " \\\n  ".join(lines)
