"""What was sent to the forge within the hour, for all processes together.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.store.types import Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "paces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_paces_name", "paces", ["name", "at"], unique=False)
