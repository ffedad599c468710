"""The rooms' tables; importing this module makes the metadata whole."""

from proofgrid.network.tables import record

__all__ = ["record"]
