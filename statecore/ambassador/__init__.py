"""The ambassador: it answers other programs over channels, and keeps house (CONTRACTS section 4).

The requests of a channel become calls of services and their answers go out on
another one. Beside that it looks for orphans and delivers label requests. Any
number may run; one is active, the others take over from it.
"""
