"""Every rule of a catalog: of its models together, its price lists, and of what it says beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from shoal.domain.catalog import Catalog
from shoal.domain.models.checks import Refusals, check_model
from shoal.domain.models.files import MODELS, PRICE_LISTS
from shoal.domain.models.losses import compare
from shoal.domain.models.model import Model
from shoal.domain.models.problems import Problem, Problems
from shoal.domain.models.shape import PriceListShape, check_shape, problems_of


def check_catalog(document: Mapping[str, Any], refusals: Refusals, providers: Collection[str]) -> Problems:
    """What is wrong with a catalog's document; fields of a model begin with `models` and its id."""
    found = [
        problem.below(MODELS, name)
        for name, told in document.get(MODELS, {}).items()
        for problem in check_model(name, told, refusals, providers)
    ]
    yield from found
    yield from _check_replacements(document.get(MODELS, {}))
    yield from _check_price_lists(document)
    if found:
        return
    try:
        catalog = Catalog.model_validate(document)
    except ValidationError as error:
        yield from problems_of(error)
    else:
        yield from _check_aliases(catalog)
        yield from check_losses(catalog)


def check_losses(catalog: Catalog) -> Problems:
    """A model that sells below its first known cost says so, and no other does."""
    for name, model in catalog.models.items():
        losing = next(_losses(catalog, name, model), None)
        if losing is not None and not model.at_a_loss:
            yield Problem((MODELS, name, "tariff"), f"{losing}: at_a_loss must be true")
        if losing is None and model.at_a_loss:
            yield Problem(
                (MODELS, name, "at_a_loss"), "sells for no less than it costs: at_a_loss must be false"
            )


def _losses(catalog: Catalog, name: str, model: Model) -> Iterator[str]:
    credit_micros = catalog.top_up.credit_micros_min
    yield from (str(each) for each in compare(model, credit_micros) if each.loses)
    cost = model.cost_micros
    for mode, sold in catalog.modes.items():
        if sold.model == name and sold.price_micros < cost:
            yield f"mode {mode} sells for {sold.price_micros} and costs {cost} micro-dollars"
    scene = catalog.video.price_credits * credit_micros
    if name == catalog.video.clip_model and scene < cost:
        yield f"a video's scene sells for {scene} and costs {cost} micro-dollars"


def _check_replacements(models: Mapping[str, Any]) -> Problems:
    """Each is a model, and following them ends."""
    for name, told in models.items():
        followed, at = [name], told.get("replacement")
        while isinstance(at, str) and at in models and at not in followed:
            followed.append(at)
            at = models[at].get("replacement")
        if at in followed:
            way = " → ".join([*followed, str(at)])
            yield Problem((MODELS, name, "replacement"), f"goes round in a circle: {way}")
        elif isinstance(at, str) and at not in models and len(followed) == 1:
            yield Problem((MODELS, name, "replacement"), f"there is no model {at!r}")


def _check_aliases(catalog: Catalog) -> Problems:
    """One name means one model in a dialect, and no other model's id."""
    meant: dict[tuple[str, str], str] = {}
    for name, model in catalog.models.items():
        for dialect, aliases in model.aliases.items():
            for alias in aliases:
                other = meant.setdefault((dialect, alias), name)
                if other != name or (alias in catalog.models and alias != name):
                    yield Problem((MODELS, name, "aliases", dialect), f"{alias!r} means another model")


def _check_price_lists(document: Mapping[str, Any]) -> Problems:
    for name, told in document.get(PRICE_LISTS, {}).items():
        for problem in check_shape(PriceListShape, told):
            yield problem.below(PRICE_LISTS, name)
        for model, listed in told.get(MODELS, {}).items():
            if model not in document.get(MODELS, {}):
                yield Problem((PRICE_LISTS, name, MODELS, model), "there is no such model")
            if isinstance(listed, Mapping) and ("factor_bp" in listed) is ("tariff" in listed):
                yield Problem((PRICE_LISTS, name, MODELS, model), "must have factor_bp or tariff")
