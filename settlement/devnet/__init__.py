"""A Solana cluster of one: LiteSVM behind the JSON-RPC methods that solana-py and wallets call, on loopback.

``Devnet.start()`` runs it in a thread; ``python -m proofgrid.settlement.devnet --port N`` in a process of its own.

    server         sockets, uvicorn, the thread            application    HTTP: limits, faults on the way
    door           Host and Origin                         subscriptions  WebSocket
    answers        JSON-RPC                                methods/       one function a method
    bank           the ledger at a commitment              forms, tokens, fees   what the answers look like
    ledger         slots, transactions, forks              timeline, blockhashes, nonces, undo, journal
    faults         what goes wrong, by a seed              machine        LiteSVM, strict
"""

from proofgrid.settlement.devnet.faults import Plan
from proofgrid.settlement.devnet.ledger import Delays
from proofgrid.settlement.devnet.server import Devnet

__all__ = ["Delays", "Devnet", "Plan"]
