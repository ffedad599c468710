"""A network of real processes that are killed, paused, starved and lied to while requests run; then it is audited."""
