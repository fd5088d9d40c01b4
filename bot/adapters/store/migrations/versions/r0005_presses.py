"""Buttons of checks that were pressed.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.store.types import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "presses",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("button", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("check_name", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("bot", sa.Boolean(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", "stage"),
    )
    op.create_index("ix_presses_stage", "presses", ["stage", "at"], unique=False)
