"""A whole afternoon of work, made in seconds: what pages look like when much is going on."""
