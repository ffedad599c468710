"""The rooms' tables; importing this module makes the metadata whole."""

from proofgrid.network.tables import admission

__all__ = ["admission"]
