"""The rooms' tables; importing this module makes the metadata whole."""

from proofgrid.network.tables import admission, market, provers, record

__all__ = ["admission", "market", "provers", "record"]
