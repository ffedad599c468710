"""The RPC methods of the devnet, one function each, named as Solana names them.

cluster    health, version, slots, epochs, blockhashes, fees
accounts   accounts, balances, tokens
sending    airdrop, simulateTransaction, sendTransaction
history    statuses, signatures, transactions
control    what only a devnet has: time, forks, faults (devnet_...)
"""

from proofgrid.settlement.devnet.methods import accounts, cluster, control, history, sending
from proofgrid.settlement.devnet.methods.table import CONTROL_PREFIX, METHODS, call

__all__ = ["CONTROL_PREFIX", "METHODS", "accounts", "call", "cluster", "control", "history", "sending"]
