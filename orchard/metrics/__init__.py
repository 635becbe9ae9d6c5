"""What Prometheus is told: the engine, the fleet, the state, and this web process."""
