"""The SDK: ask a network for a proof, get it back verified.

``Client`` and ``AsyncClient`` are two thin drivers over the same flows; a proof is returned only after it and its
receipt were checked on this machine.
"""

from proofgrid.client.asynchronous import AsyncClient, AsyncHandle
from proofgrid.client.results import Circuit, Fulfilled
from proofgrid.client.synchronous import Client, Handle

__all__ = ["AsyncClient", "AsyncHandle", "Circuit", "Client", "Fulfilled", "Handle"]
