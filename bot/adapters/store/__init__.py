"""The database: history, people's orders, the inbox and what must survive a restart, on SQLite or PostgreSQL.

`database` opens it, `migrate` brings its schema up to date, one file per noun beside them reads and writes rows.
"""
