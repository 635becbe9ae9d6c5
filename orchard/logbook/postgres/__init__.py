"""The logbook in tables of PostgreSQL's."""
