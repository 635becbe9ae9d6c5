"""The logbook in a file of SQLite's."""
