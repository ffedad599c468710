"""The database's history: one file in ``versions/`` for each change of a released schema, in one line.

A revision is written by hand and never edited once it is released. It runs on SQLite and PostgreSQL: an index on a
condition names both dialects, constraints keep the names of ``Base.metadata``'s convention (PostgreSQL's own), and
what SQLite cannot alter goes through ``op.batch_alter_table``. There is no way down: go back with a backup.
:mod:`proofgrid.network.schema` runs them.
"""
