"""Money: the on-chain program, its client, and a devnet to try both.

    program/       the program's C source, its build, the committed binary
    layout         every byte that crosses between the two sides; refusals: the program's noes by name
    instructions   builders; accounts: readers; addresses: derivation
    sender         one transaction, landed once; submitter: batches; registry: verifying keys; deploy: the program
    devnet/        LiteSVM behind Solana's JSON-RPC
    evm/           verifier, router and receipts for EVM chains, in Solidity

Importing this module loads none of them.
"""
