"""The doctor: looks whether all that must hold of the state does, says what does not, and mends it.

This stands above the services of both sides, as the pages do.
"""
