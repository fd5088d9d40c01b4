"""The newest row of the audit log, named apart from it, so that a tail that was cut off is missed.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table, and name what is the newest row now."""
    op.create_table(
        "audit_head",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.execute("INSERT INTO audit_head (one, last, hash) SELECT 1, id, hash FROM audit WHERE id = (SELECT MAX(id) FROM audit)")
