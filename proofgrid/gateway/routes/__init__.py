"""The HTTP API, a module for each resource; a new resource is a new module and a line in ``app``."""
