"""The logbook: what processes say while they work, kept beside the state engine and searchable."""
