"""Money from the faucet, and transactions tried and sent."""

from typing import Any

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata
from solders.transaction_status import TransactionErrorFieldless

from proofgrid.settlement.devnet.bank import Bank
from proofgrid.settlement.devnet.forms import account_form, inner_form, return_data_form
from proofgrid.settlement.devnet.ledger import Ledger, Refused
from proofgrid.settlement.devnet.methods.table import method
from proofgrid.settlement.devnet.values import (
    INVALID_PARAMS,
    PREFLIGHT_FAILURE,
    SIGNATURE_FAILURE,
    Json,
    Params,
    RpcError,
    error_form,
    pubkey,
)


@method("requestAirdrop")
def request_airdrop(ledger: Ledger, params: Params) -> Json:
    try:
        return str(ledger.airdrop(params.pubkey(0), params.number(1)))
    except Refused as refused:
        raise RpcError(INVALID_PARAMS, f"the faucet refuses: {refused}") from None


@method("simulateTransaction")
def simulate_transaction(ledger: Ledger, params: Params) -> Json:
    options, bank = params.options(1), Bank.asked(ledger, params, 1)
    transaction, wanted = params.transaction(0, options), _wanted_accounts(options)
    replacement = None
    if options.get("replaceRecentBlockhash"):
        if options.get("sigVerify"):
            raise RpcError(INVALID_PARAMS, "sigVerify may not be used with replaceRecentBlockhash")
        blockhash, last_valid = bank.latest_blockhash()
        replacement = {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid}
    value: dict[str, Json] = {"replacementBlockhash": replacement, "innerInstructions": None, "accounts": None}
    try:
        if replacement is None:
            bank.check(transaction)
        result = bank.simulate(transaction, sig_verify=bool(options.get("sigVerify")))
        meta: TransactionMetadata = result.meta()
        value |= {"err": None, "logs": meta.logs(), "unitsConsumed": meta.compute_units_consumed()}
        value |= {"fee": meta.fee(), "returnData": return_data_form(meta)}
        if options.get("innerInstructions"):
            value["innerInstructions"] = inner_form(meta)
        after = dict(result.post_accounts())
    except Refused as refused:
        value |= {"err": error_form(refused.error), "logs": refused.logs, "unitsConsumed": refused.units}
        value["returnData"] = None
        after = {}
    if wanted is not None:
        accounts = [after.get(address) or bank.account(address) for address in wanted]
        value["accounts"] = [
            account_form(account if account and account.lamports else None, options["accounts"], bank.account)
            for account in accounts
        ]
    return bank.in_context(value)


def _wanted_accounts(options: dict[str, Any]) -> list[Pubkey] | None:
    """The accounts whose state after the transaction is asked for."""
    chosen = options.get("accounts")
    if chosen is None:
        return None
    addresses = chosen.get("addresses") if isinstance(chosen, dict) else None
    if not isinstance(addresses, list) or len(addresses) > 64 or not all(isinstance(one, str) for one in addresses):
        raise RpcError(INVALID_PARAMS, "Invalid params: accounts must have up to 64 addresses")
    return [pubkey(one) for one in addresses]


@method("sendTransaction")
def send_transaction(ledger: Ledger, params: Params) -> Json:
    options, bank = params.options(1), Bank.asked(ledger, params, 1, name="preflightCommitment")
    transaction = params.transaction(0, options)
    if not all(transaction.verify_with_results()):
        raise RpcError(SIGNATURE_FAILURE, "Transaction signature verification failure")
    try:
        if not options.get("skipPreflight"):
            _preflight(bank, transaction)
        ledger.receive(transaction)
    except Refused as refused:
        # Without preflight a node takes any signed transaction; one that cannot land is never heard of again.
        if not options.get("skipPreflight"):
            raise _preflight_error(refused) from None
    return str(transaction.signatures[0])


def _preflight(bank: Bank, transaction: VersionedTransaction) -> None:
    bank.check(transaction)
    bank.simulate(transaction, sig_verify=True)


def _preflight_error(refused: Refused) -> RpcError:
    error = error_form(refused.error)
    data = {
        "err": error,
        "logs": refused.logs,
        "accounts": None,
        "unitsConsumed": refused.units,
        "returnData": None,
        "innerInstructions": None,
        "replacementBlockhash": None,
    }
    said = "Blockhash not found" if refused.error == TransactionErrorFieldless.BlockhashNotFound else str(error)
    return RpcError(PREFLIGHT_FAILURE, f"Transaction simulation failed: {said}", data)
