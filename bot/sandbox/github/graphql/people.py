"""Accounts in GraphQL; a bot's login has no `[bot]` here."""

from typing import Any

from bot.sandbox.github.accounts import Account
from bot.sandbox.github.graphql.nodes import Context
from bot.sandbox.github.views.people import account_node


def actor(context: Context, account: Account | None) -> dict[str, Any] | None:
    """`Actor`: a User, Bot or Organization."""
    if account is None:
        return None
    page = f"{context.world.base_url}/{'apps/' if account.kind == 'Bot' else ''}{account.graphql_login()}"
    return {
        "__typename": account.kind,
        "id": account_node(account),
        "databaseId": account.id,
        "login": account.graphql_login(),
        "name": account.name,
        "url": page,
    }
