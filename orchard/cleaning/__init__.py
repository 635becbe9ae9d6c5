"""Cleaning by hand: select, look at what will happen, confirm, and read what was done.

This stands above the services of both sides, as the pages do.
"""
