"""Recordings that come in parts, and folders that are watched."""
