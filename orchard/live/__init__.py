"""Live updates: one tail of the events in each web process, and the sockets that follow it."""
