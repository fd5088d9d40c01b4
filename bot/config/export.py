"""The configuration's JSON Schema (draft 2020-12), for editors and for our own hints.

Made from the models, so that it cannot say anything else than they do.
"""

from typing import Any

from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of the file as people write it."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    schema["patternProperties"] = {"^x-": {}}
    return {"$schema": DIALECT, "title": "promotion-bot configuration", **{key: part for key, part in schema.items() if key != "title"}}
