"""How an outbox of an earlier version becomes one of ours: a file a version, run by ``upgrading``.

To change the tables: change ``tables``, count its ``VERSION`` up, and write ``versions/version_N.py`` of that number.
A revision says in full what it makes - it imports nothing of ours, for it must stay what it is when ``tables`` moves
on - and works on SQLite and PostgreSQL (``op.batch_alter_table`` for what SQLite cannot alter,
https://alembic.sqlalchemy.org/en/latest/batch.html). Put the DDL of the version that it leaves behind into
``tests/contract/schemas`` (the last pair there, as the last revision changed it); ``tests/contract/test_upgrading.py``
then holds it to what a new outbox is. None has a ``downgrade``: what a newer program wrote is lost on the way back, so
the way back is the backup.
"""
