"""Incidents, what rollouts carried, and reports that were sent.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from bot.adapters.store.types import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recovered_at", Instant(), nullable=True),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidents_at", "incidents", ["at"], unique=False)
    op.create_table(
        "carried",
        sa.Column("deploy", sa.String(), nullable=False),
        sa.Column("read_at", Instant(), nullable=False),
        sa.Column("again_at", Instant(), nullable=True),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("deploy"),
    )
    op.create_table(
        "reports",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_reports_series", "reports", ["series", "as_of"], unique=False)
