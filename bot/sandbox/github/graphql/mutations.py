"""All mutations of GraphQL, from one file per noun: the same services as REST, found by node ids."""

from bot.sandbox.github.graphql.check_mutations import CheckMutations
from bot.sandbox.github.graphql.nodes import Context, Json
from bot.sandbox.github.graphql.pull_mutations import PullMutations
from bot.sandbox.github.graphql.ref_mutations import RefMutations
from bot.sandbox.github.graphql.talk_mutations import TalkMutations

SHELVES = (RefMutations, PullMutations, TalkMutations, CheckMutations)


def mutation_root(context: Context) -> Json:
    """The fields of `Mutation` by name."""
    shelves = [shelf(context) for shelf in SHELVES]
    return {name: getattr(shelf, name) for shelf in shelves for name in dir(shelf) if callable(getattr(shelf, name)) and name[0] != "_"}
