"""JSON Schema of typed dictionaries: the text under a field is its description, in derived ones too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, create_model
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import TypedDictSchema
from typing_extensions import get_original_bases, is_typeddict

Schema = dict[str, Any]

TEXTS_DESCRIBE = ConfigDict(use_attribute_docstrings=True)


class Describing(GenerateJsonSchema):
    """Adds what pydantic leaves out: it reads the texts of a class, and none of those it derives from."""

    def typed_dict_schema(self, schema: TypedDictSchema) -> Schema:
        made = super().typed_dict_schema(schema)
        for base in filter(is_typeddict, get_original_bases(schema["cls"])):
            for name, field in schemas_of([base], "{model}")[base.__name__]["properties"].items():
                if "description" in field:
                    made["properties"][name].setdefault("description", field["description"])
        return made


def schemas_of(types: Iterable[type[Any]], ref_template: str) -> dict[str, Schema]:
    """The schemas of typed dictionaries, and of those in them, by their names."""
    fields: dict[str, Any] = {f"field_{index}": (each, ...) for index, each in enumerate(types)}
    whole = create_model("Whole", __config__=TEXTS_DESCRIBE, **fields)
    made = whole.model_json_schema(
        ref_template=ref_template, schema_generator=Describing, mode="serialization"
    )
    found: dict[str, Schema] = without_titles(made["$defs"])
    return found


def without_titles(schema: Any) -> Any:
    """Leaves out every `title` that is text; a property may be called that."""
    if isinstance(schema, list):
        return [without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: each for name, each in schema.items() if name != "title" or not isinstance(each, str)}
    return {name: without_titles(each) for name, each in kept.items()}
