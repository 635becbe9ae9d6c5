"""Measurements behind ``manage.py bench``: ratios taken in one run, each with its own baseline."""
