"""A LiteSVM that refuses what a real validator refuses, and how accounts and transactions are put into it."""

from collections.abc import Mapping

from solders.account import Account
from solders.litesvm import FeatureSet, LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionErrorFieldless

FAUCET_LAMPORTS = 10**18
_GONE = Account(0, b"", Pubkey.default())


def strict_svm(
    features: FeatureSet | None = None, *, blockhash_check: bool = True, history: int | None = None
) -> LiteSVM:
    """A machine with signature and duplicate checks under mainnet's features, or under those given.

    ``history`` is how many transactions it remembers to refuse them a second time: 0 leaves that to the caller.
    """
    svm = LiteSVM.default()
    svm = svm.with_mainnet_features() if features is None else svm.with_feature_set(features)
    svm = (
        svm.with_feature_accounts()
        .with_builtins()
        .with_lamports(FAUCET_LAMPORTS)
        .with_sysvars()
        .with_default_programs()
        .with_sigverify(True)
        .with_blockhash_check(blockhash_check)
    )
    return svm if history is None else svm.with_transaction_history(history)


def put_accounts(svm: LiteSVM, states: Mapping[Pubkey, Account | None]) -> None:
    """Overwrite accounts, None for one that is gone; programs after their data, which LiteSVM loads with them."""
    for address, account in sorted(states.items(), key=lambda item: item[1] is not None and item[1].executable):
        svm.set_account(address, _GONE if account is None else account)


def missing_program(svm: LiteSVM, transaction: VersionedTransaction) -> TransactionErrorFieldless | None:
    """Why the transaction's programs cannot run; LiteSVM panics at one that was there and was taken away."""
    keys = transaction.message.account_keys
    for one in transaction.message.instructions:
        program = svm.get_account(keys[one.program_id_index])
        if program is None:
            return TransactionErrorFieldless.ProgramAccountNotFound
        if not program.executable:
            return TransactionErrorFieldless.InvalidProgramForExecution
    return None
