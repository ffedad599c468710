"""What alembic runs: the revisions, on the connection that :mod:`proofgrid.network.schema` opened.

The database's history is one file in ``versions/`` for each change of a schema, in one line, written by hand and never
edited once it is released. A revision runs on SQLite and PostgreSQL: an index on a condition names both dialects,
constraints keep the names of ``Base.metadata``'s convention (PostgreSQL's own), a float is ``sa.Double``, and what
SQLite cannot alter goes through ``op.batch_alter_table``. There is no way down: go back with a backup.
"""

from alembic import context

from proofgrid.network.database import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
