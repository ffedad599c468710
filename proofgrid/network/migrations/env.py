"""What alembic runs: the revisions, on the connection that :mod:`proofgrid.network.schema` opened."""

from alembic import context

from proofgrid.network.database import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
