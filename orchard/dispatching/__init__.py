"""Dispatchers: they claim chunks for push nodes, send them, and report what comes back."""
