"""How a route asks its provider: one template of the input, and where the outputs are in the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from shoal.domain.models.inputs import Values, word_of

As = Literal["file", "json", "text"]
_NAME = r"\{([A-Za-z][A-Za-z0-9_]*)\}"
_STEP = re.compile(r"([^.\[\]]+)|\[(\*|[0-9]+)\]|(\.)")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class OutputPath:
    """Where files are in an answer. `extra` are beside the output, not outputs of their own."""

    path: str
    extra: bool = False
    as_: As = "file"

    @classmethod
    def from_document(cls, told: Mapping[str, Any]) -> OutputPath:
        return cls(told["path"], told.get("extra", False), cast("As", told.get("as", "file")))


@dataclass(frozen=True, slots=True)
class Template:
    """What a route adds to a provider's name of the model.

    `when`: which parameters have to be there (true) or absent. `input` is None where the parameters go as
    they are. `refused_when`: where an answer says that it was the caller's fault.
    """

    when: Mapping[str, bool]
    input: Mapping[str, Any] | None
    outputs: tuple[OutputPath, ...]
    refused_when: str | None = None

    @classmethod
    def from_document(cls, told: Mapping[str, Any]) -> Template:
        """Of a document that was checked."""
        return cls(
            told.get("when", {}),
            told.get("input"),
            tuple(OutputPath.from_document(each) for each in told.get("outputs", ())),
            told.get("refused_when"),
        )

    def fits(self, values: Values) -> bool:
        """Whether the route takes a request with these parameters."""
        return all((values.get(name) is not None) is there for name, there in self.when.items())


def render(template: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """What a provider is handed: `{name}` alone keeps the value's type, what is absent drops its key."""
    rendered: dict[str, Any] = {}
    for key, part in template.items():
        value = _rendered(part, values)
        if value is not _ABSENT:
            _put(rendered, key.split("."), value)
    return rendered


def names_in(template: Any) -> Iterator[str]:
    """The parameters that a template speaks of."""
    if isinstance(template, str):
        yield from re.findall(_NAME, template)
    elif isinstance(template, Mapping):
        if "pick" in template:
            yield str(template["pick"])
        else:
            for part in template.values():
                yield from names_in(part)
    elif isinstance(template, Sequence):
        for part in template:
            yield from names_in(part)


def find(document: Any, path: str) -> list[Any]:
    """All that is at a path such as `images[*].url`; nothing where the way ends early."""
    found = [document]
    for name, index, _ in _STEP.findall(path):
        if name:
            found = [each[name] for each in found if isinstance(each, Mapping) and name in each]
        elif index:
            found = [item for each in found if isinstance(each, list) for item in _items(each, index)]
    return [each for each in found if each is not None]


def is_path(text: Any) -> bool:
    """Whether it has the form of a path: names with dots between them, and `[*]` or `[0]` after them."""
    name = r"[^.\[\]\s]+"
    steps = rf"({name}|(?=\[))(\[(\*|[0-9]+)\])*"
    return (
        isinstance(text, str)
        and bool(text)
        and bool(re.fullmatch(rf"{steps}(\.{name}(\[(\*|[0-9]+)\])*)*", text))
    )


def _items(items: list[Any], index: str) -> list[Any]:
    return items if index == "*" else items[int(index) : int(index) + 1]


def _rendered(part: Any, values: Values) -> Any:
    if isinstance(part, str):
        return _text(part, values)
    if isinstance(part, Mapping):
        if "pick" in part:
            return part.get(word_of(values.get(part["pick"])), _ABSENT)
        inner = render(part, values)
        return inner if inner or not part else _ABSENT
    if isinstance(part, list):
        return [each for each in (_rendered(each, values) for each in part) if each is not _ABSENT]
    return part


def _text(text: str, values: Values) -> Any:
    if alone := re.fullmatch(_NAME, text):
        value = values.get(alone[1])
        return _ABSENT if value is None else value
    if any(values.get(name) is None for name in re.findall(_NAME, text)):
        return _ABSENT
    return re.sub(_NAME, lambda match: word_of(values[match[1]]), text)


def _put(into: dict[str, Any], way: Sequence[str], value: Any) -> None:
    for name in way[:-1]:
        into = into.setdefault(name, {})
    if isinstance(value, dict) and isinstance(into.get(way[-1]), dict):
        into[way[-1]] |= value
    else:
        into[way[-1]] = value
