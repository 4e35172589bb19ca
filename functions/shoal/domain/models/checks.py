"""The rules of a model's file: a model that passes can be asked for, priced and made in every combination."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from shoal.domain.models.inputs import Inputs, Property, word_of
from shoal.domain.models.measures import SIZE, Measures
from shoal.domain.models.media_types import EXTENSIONS
from shoal.domain.models.model import Model, model_of
from shoal.domain.models.pricing import amounts_of
from shoal.domain.models.problems import Problem, Problems
from shoal.domain.models.roles import Role
from shoal.domain.models.routing import check_routes
from shoal.domain.models.schema import check_object
from shoal.domain.models.shape import ModelShape, check_shape
from shoal.domain.models.tariff import Unit

Refusals = Callable[[Model, Mapping[str, Any]], Sequence[Problem]]
"""What is wrong with the parameters of a request for a model: requests are read elsewhere."""

_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "image": ("image/",),
    "video": ("video/",),
    "audio": ("audio/",),
    "speech": ("audio/",),
    "model3d": ("model/", "application/zip"),
    "text": ("text/", "application/json"),
}
"""How the first media type of a model begins."""
RESERVED = frozenset(
    {
        *("model", "mode", "webhook_url", "metadata", "max_cost", "ttl_seconds", "priority"),
        *("start_within_seconds", "store", "quote"),
        *("type", "kind", "clip_model", "width_px", "height_px", "input_keys", "fields", "beside", "idea"),
        *("category", "media_types"),
    }
)
"""Words of any submit, and those that a job keeps beside its parameters."""
_OWN_ROLES = {role.value: role for role in (Role.PROMPT, Role.NEGATIVE_PROMPT, Role.ASPECT_RATIO, Role.SEED)}
"""Parameters of these names mean what they say."""
COMBINATIONS_MAX = 20_000


def check_model(
    name: str, told: Mapping[str, Any], refusals: Refusals, providers: Collection[str]
) -> Problems:
    """What is wrong with a model by itself. `providers` are those that routes may name."""
    for step in (_check_form, _check_meaning):
        found = list(step(told))
        yield from found
        if found:
            return
    model = model_of(name, told)
    yield from check_routes(model, providers)
    yield from _check_requests(model, refusals)


def _check_form(told: Mapping[str, Any]) -> Problems:
    found = list(check_shape(ModelShape, told))
    yield from found
    if not any(problem.field[:1] == ("input",) for problem in found) and isinstance(
        told.get("input"), Mapping
    ):
        for problem in _check_input(told["input"]):
            yield problem.below("input")


def _check_input(told: Mapping[str, Any]) -> Problems:
    properties = told.get("properties", {})
    if not isinstance(properties, Mapping):
        yield Problem(("properties",), "must be a table")
        return
    plain = {name: _without_role(each) for name, each in properties.items()}
    yield from check_object({**told, "properties": plain})
    roles: dict[str, str] = {}
    for name, each in properties.items():
        role = each.get("role") if isinstance(each, Mapping) else None
        if name in RESERVED:
            yield Problem(("properties", name), "has a name that is reserved: call it something else")
        if name in _OWN_ROLES and role != name:
            yield Problem(("properties", name), f'must have role = "{name}", as its name says')
        if role is not None and role not in set(Role):
            yield Problem(("properties", name, "role"), f"must be one of {', '.join(Role)}")
        elif role in roles:
            yield Problem(("properties", name, "role"), f"{roles[role]} has this role already")
        elif role is not None:
            roles[role] = name


def _check_meaning(told: Mapping[str, Any]) -> Problems:
    inputs = Inputs.from_document(told["input"], ())
    yield from _check_outputs(told, inputs)
    for own in inputs.properties.values():
        yield from (problem.below("input", "properties", own.name) for problem in _check_role(own))
    yield from _check_refusals(told.get("refuse", ()), inputs)
    refused = Inputs.from_document(told["input"], told.get("refuse", ()))
    table = _check_table(told.get("sizes", {}), refused, _size_reason, of="size") if "sizes" in told else ()
    wrong = [problem.below("sizes") for problem in table]
    yield from wrong
    measures = Measures(refused) if wrong else Measures.from_document(refused, told.get("sizes", {}))
    yield from _check_tariff(told["tariff"], measures)
    for at, route in enumerate(told["routes"]):
        for number, row in enumerate(route.get("cost", ())):
            for problem in _check_row(row, measures, credits_allowed=False):
                yield problem.below("routes", at, "cost", number)


def _check_outputs(told: Mapping[str, Any], inputs: Inputs) -> Problems:
    media, family = told["outputs"]["media"], told["type"].partition("_")[0]
    for at, each in enumerate(media):
        if each not in EXTENSIONS:
            yield Problem(("outputs", "media", at), f"{each!r} is not among {', '.join(sorted(EXTENSIONS))}")
    if not media[0].startswith(_FAMILIES[family]):
        yield Problem(("outputs", "media", 0), f"{media[0]!r} is not what {told['type']} makes")
    count = inputs.of_role(Role.COUNT)
    most = count.most if count else 1
    if most != told["outputs"]["max"]:
        yield Problem(("outputs", "max"), f"must be what can be asked for: {most}")


def _check_role(own: Property) -> Problems:
    role = own.role
    if role is None:
        return
    digits = role is Role.SECONDS and own.kind == "string" and own.most is not None
    if role.is_whole and own.kind != "integer" and not digits:
        yield Problem(("type",), "must be integer: it prices or sizes something")
    if role.is_text and own.kind != "string":
        yield Problem(("type",), "must be string")
    if role.is_file and not (own.kind == "string" or (own.kind == "array" and _is_texts(own))):
        yield Problem(("type",), "must be string, or an array of them")
    if role is Role.COUNT and (own.most is None or own.schema.get("minimum", 1) != 1 or own.default != 1):
        yield Problem((), "must have minimum = 1, a maximum and default = 1")


def _is_texts(own: Property) -> bool:
    return bool(own.schema["items"].get("type") == "string")


def _check_refusals(refuse: Sequence[Mapping[str, Any]], inputs: Inputs) -> Problems:
    wrong = False
    for at, each in enumerate(refuse):
        for name, listed in each.items():
            own = inputs.properties.get(name)
            if own is None or own.values is None:
                wrong = True
                yield Problem(("refuse", at, name), "is not a parameter whose values are listed")
                continue
            for value in listed:
                if not any(word_of(value) == word_of(each) for each in own.values):
                    wrong = True
                    yield Problem(("refuse", at, name), f"{word_of(value)} is not a value of {name}")
    if wrong or not refuse:
        return
    refused = Inputs(inputs.properties, tuple(Inputs.from_document({}, refuse).refusals))
    names = sorted({name for each in refuse for name in each})
    if refused.count_combinations(names) > COMBINATIONS_MAX:
        yield Problem(("refuse",), f"speaks of more than {COMBINATIONS_MAX:,} combinations")
    elif next(refused.combinations(names), None) is None:
        yield Problem(("refuse",), "leaves nothing that can be asked for")
    elif refused.refused(refused.filled({})) is not None:
        yield Problem(("refuse",), "refuses the defaults")


def _check_tariff(rows: Sequence[Mapping[str, Any]], measures: Measures) -> Problems:
    if len({"credits" in row for row in rows}) > 1:
        yield Problem(("tariff",), "must be in credits or in micro-dollars, not in both")
    for at, row in enumerate(rows):
        for problem in _check_row(row, measures, credits_allowed=True):
            yield problem.below("tariff", at)


def _check_row(row: Mapping[str, Any], measures: Measures, *, credits_allowed: bool) -> Problems:
    per, names = Unit(row["per"]), [name for name in ("micros", "credits") if name in row]
    if len(names) != 1 or (names == ["credits"] and not credits_allowed):
        yield Problem((), "must have micros or credits" if credits_allowed else "must have micros")
        return
    if names == ["credits"] and per not in (Unit.OUTPUT, Unit.REQUEST):
        yield Problem(("per",), "credits are whole: they can be per output or per request")
    if not measures.is_bounded(per):
        yield Problem(("per",), f"nothing bounds how many {per.words}s a request can come to")
    if row.get("minimum", 0) > row.get("maximum", row.get("minimum", 0)):
        yield Problem(("maximum",), "is less than minimum")
    amount = row[names[0]]
    if isinstance(amount, Mapping):
        for problem in _check_table(amount, measures.inputs, _amount_reason, of="amount"):
            yield problem.below(names[0])
    elif reason := _amount_reason(amount):
        yield Problem((names[0],), reason)


def _check_table(
    table: Mapping[str, Any], inputs: Inputs, reason_of: Callable[[Any], str], *, of: str
) -> Problems:
    """A table whose keys are the words of the parameters in `by`: each combination, and no other."""
    by = table.get("by")
    if not isinstance(by, list) or not by:
        yield Problem(("by",), "must list the parameters that it depends on")
        return
    found = [problem for name in by for problem in _check_by(name, inputs)]
    yield from found
    if found:
        return
    if inputs.count_combinations(by) > COMBINATIONS_MAX:
        yield Problem(("by",), f"makes more than {COMBINATIONS_MAX:,} combinations")
        return
    told = amounts_of(table)
    wanted = {tuple(word_of(each[name]) for name in by) for each in inputs.combinations(by)}
    for words in sorted(wanted - told.keys()):
        yield Problem((), f"has no {of} for {_named(by, words)}")
    for words, value in told.items():
        if words not in wanted:
            yield Problem((",".join(words),), "is no combination that can be asked for")
        elif reason := reason_of(value):
            yield Problem((",".join(words),), reason)


def _check_by(name: Any, inputs: Inputs) -> Problems:
    own = inputs.properties.get(name) if isinstance(name, str) else None
    if own is None:
        yield Problem(("by",), f"{name!r} is not a parameter")
    elif not own.is_enumerated:
        yield Problem(("by",), f"{name} is neither enumerated nor a boolean")
    elif own.default is None and not own.required:
        yield Problem(("by",), f"{name} has no default")
    elif any("," in word_of(value) for value in own.values or ()):
        yield Problem(("by",), f"{name} has a value with a comma")


def _amount_reason(amount: Any) -> str:
    whole = isinstance(amount, int) and not isinstance(amount, bool)
    return "" if whole and amount >= 0 else "must be a whole number of micro-dollars or credits, 0 or more"


def _size_reason(size: Any) -> str:
    return "" if isinstance(size, str) and SIZE.fullmatch(size) else "must be a size such as 1024x768"


def _check_requests(model: Model, refusals: Refusals) -> Problems:
    for at, example in enumerate(model.examples):
        for problem in refusals(model, example):
            yield problem.below("examples", at)
    for name, own in model.inputs.properties.items():
        if own.default is not None:
            for problem in refusals(model, {**model.examples[0], name: own.default}):
                if problem.field[:1] == (name,):
                    yield Problem(("input", "properties", name, "default"), problem.reason)


def _without_role(schema: Any) -> Any:
    return (
        {name: each for name, each in schema.items() if name != "role"}
        if isinstance(schema, Mapping)
        else schema
    )


def _named(by: Sequence[str], words: Sequence[str]) -> str:
    return ", ".join(f"{name} {word}" for name, word in zip(by, words, strict=True))
