"""The fallback: a web process that finds no Redis at its start works in its own memory.

What is done meanwhile is saved beside the data every few seconds, and brought
into the engine by hand once it is back: conflicts are shown first.
"""
