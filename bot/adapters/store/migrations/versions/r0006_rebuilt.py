"""What a backfill rebuilt from git, and how far it came.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.store.types import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "rebuilt",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rebuilt_stage", "rebuilt", ["stage", "at"], unique=False)
    op.create_table(
        "backfills",
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("stage"),
    )
