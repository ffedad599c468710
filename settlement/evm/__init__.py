"""Proofs and receipts on EVM chains: contracts, and the calls that they take.

    contracts/     Solidity: the verifier's template, the router, the receipts registry and an example that uses it
    verifier       the template filled in for one key
    calls          calldata, by hand: every call here is a selector and words of 32 bytes

BN254 only: it is the curve that EVM chains have precompiles for (EIP-196, EIP-197).
"""

from proofgrid.settlement.evm.calls import calldata, encode_seal, receipt_calldata, router_calldata
from proofgrid.settlement.evm.verifier import contract_sources, render_verifier, verifier_selector

__all__ = [
    "calldata",
    "contract_sources",
    "encode_seal",
    "receipt_calldata",
    "render_verifier",
    "router_calldata",
    "verifier_selector",
]
