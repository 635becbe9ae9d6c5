"""Sealing: values and files that nobody reads, or alters unseen, who has not the key.

Sealed bytes say with which key of the ring they were sealed, and open only in
the place that they were sealed for.
"""
