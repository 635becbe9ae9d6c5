"""Webhooks: what happens is told to other programs, signed, in order, until they have heard."""
