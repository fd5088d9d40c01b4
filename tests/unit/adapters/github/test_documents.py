"""Every GraphQL document that the bot sends is valid against the schema that the sandbox serves (itself a cut of GitHub's)."""

from itertools import combinations
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

import bot.sandbox.github.graphql
from bot.adapters.github import documents

SCHEMA = Path(bot.sandbox.github.graphql.__file__).with_name("schema.graphql")
NAMED = (
    "AUTO_MERGE",
    "COMMENTS",
    "ENQUEUE",
    "FACE",
    "FIND",
    "MORE_CHECKS",
    "OLDER_COMMENTS",
    "OLDER_REVIEWS",
    "REPOSITORY",
    "RULES",
    "THREAD",
)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


@pytest.mark.parametrize("name", NAMED)
def test_fixed_documents(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(getattr(documents, name))) == []


def test_no_document_is_forgotten() -> None:
    texts = {name for name in dir(documents) if name.isupper() and isinstance(getattr(documents, name), str) and not name.startswith("_")}
    assert texts == {*NAMED, "PULL"}


@pytest.mark.parametrize("numbers", [(), (1,), tuple(range(1, 51))])
def test_reading_pull_requests(schema: GraphQLSchema, numbers: tuple[int, ...]) -> None:
    assert validate(schema, parse(documents.pulls(numbers))) == []


def test_mutations_in_any_company(schema: GraphQLSchema) -> None:
    fields = list(documents.MUTATIONS)
    for size in (1, 2, len(fields)):
        for chosen in combinations(fields, size):
            assert validate(schema, parse(documents.mutation("M", list(chosen)))) == []


def test_a_wrong_document_is_noticed(schema: GraphQLSchema) -> None:
    assert validate(schema, parse("query { repository(owner: 1, name: 2) { nothing } }"))
