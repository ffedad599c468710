"""A Solana cluster of one: LiteSVM behind the JSON-RPC methods that solana-py calls, on the loopback interface.

``Devnet.start()`` runs it in a thread; ``python -m proofgrid.settlement.devnet --port N`` in a process of its own.
"""

from proofgrid.settlement.devnet.server import Devnet

__all__ = ["Devnet"]
