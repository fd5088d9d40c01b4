"""Versions that were offered to the pipeline's first stages.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.store.types import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "arrivals",
        sa.Column("artifact", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("artifact"),
    )
