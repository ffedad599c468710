"""What a person can do about a refusal, a sentence for each."""

_MISMATCH = "this client and the program disagree: check --program and --rpc, and that both are of the same version"
_ACCOUNT = "an address that you gave is another kind of account: check it with the matching `show` command"
_KEY = "the verifying key or its upload is not as the program wants it: register the key again from its file"
_BATCH = "the batch or leaf is not in the state that this asks for: look at it again"

_ADVICE: dict[str, str] = {
    "MissingSignature": "somebody has not signed: `proofgrid transaction show` says who must",
    "Overflow": "the amount is beyond what the chain can count: use a smaller one",
    "SameAccountTwice": "two accounts are the same, or one is the network's vault: name your own token account",
    "KeyAlreadyRegistered": "the key is there already: use it",
    "KeyNotFinalized": "the key's upload is not finished: finish it, then try again",
    "InvalidProof": "the proof does not hold for this key and these inputs",
    "BatchAlreadyCommitted": "nothing is lost: a batch of this number is there already",
    "ChallengeWindowOpen": "wait until the batch's challenge window is over",
    "ChallengeWindowOver": "it is too late to dispute this batch",
    "AlreadyInitialized": "the network has begun already: `proofgrid network show`",
    "NotUpgradeAuthority": "only the program's upgrade authority begins the network: sign with that key",
    "WrongMint": "the token account or mint is of another token: `proofgrid network show` names the network's mint",
    "WrongTokenAccount": (
        "name a token account of the network's mint that is not frozen and not the vault, and, where tokens leave it, "
        "that the signer owns"
    ),
    "ParameterOutOfRange": "a parameter is outside the program's bounds: docs/protocol.md lists them",
    "Paused": "the guardian has stopped new money; withdrawals go on. Try again when `network show` says it runs",
    "NotGuardian": "only the guardian pauses and resumes: sign with the key that `network show` names",
    "NothingToCollect": "there is nothing to collect yet",
    "UnknownChange": "propose parameters, roles or a permission",
    "VotingOver": "voting on this proposal has ended: `governance show` says when",
    "AlreadyVoted": "this pool has voted; a vote is not changed",
    "NotYetExecutable": "wait: `governance show` says from when on it can be executed",
    "ProposalExpired": "it was not executed in time: propose it again",
    "AlreadyExecuted": "nothing to do: it has taken effect",
    "ProposalRejected": "it did not get its quorum or its majority",
    "ProposalOutdated": "the parameters changed after it was opened: propose the change again, and vote on it",
    "ChangeTooLarge": "one vote at most halves a window or a bond: propose a smaller step now, another after it",
    "DirectOnly": "this request pays only for a proof that is verified on chain, not for a batch",
    "ProverAlreadyRegistered": "this owner has a prover already: `prover update` changes its keys",
    "ColdKeyIsHot": "owner and hot signer must be different keys: make one for the work, on the machine that works",
    "NotOwner": "only the prover's cold owner may do this: sign with its key",
    "NotStaker": "only whoever staked may move these shares: sign with that key",
    "AmountTooSmall": "the amount buys no share, or is nothing: use a larger one",
    "NotEnoughShares": "you hold fewer shares than that: `stake show` says how many",
    "NothingToWithdraw": "no shares are on their way out: begin with `stake exit`",
    "ExitWindowOpen": "wait: `stake show` says from when on you can withdraw",
    "StakeLocked": "this stake is still behind unfinished work: wait until batches and requests are settled",
    "StakeTooSmall": "the pool's free stake is too small for this: deposit more, or wait until work is settled",
    "RequestAlreadyOpen": "this requester has a request with that nonce: take another nonce",
    "WrongDeadline": "deadlines lie in the future, paid-until before expiry, within a year",
    "KeyDenied": "governance does not allow this verifying key here",
    "WrongRequester": "only the requester may do this: sign with its key",
    "RequestNotOpen": "the request is assigned or over: `escrow show` says which",
    "RequestNotAssigned": "the request is not assigned to a prover now: `escrow show` says how it stands",
    "RequestNotOver": "a prover is assigned: wait for its proof, or demand it with `escrow demand`",
    "NotYetExpired": "only the requester may cancel before the request expires: sign with its key",
    "CallbackDue": "the callback has not been sent yet: send it, or let the requester close the request",
    "NoCallbackDue": "nothing to call back",
    "NotAssigner": "only the key that the requester named assigns a prover",
    "NotSigner": "the prover's hot key signs its work: `prover show` names it",
    "PriceOverCap": "the price is above what the requester put into escrow",
    "TooLate": "the deadline is over: `escrow show` says which",
    "NotYetMissed": "the prover still has time: `escrow show` says until when",
    "InsufficientFunds": (
        "too little SOL: the payer pays the fee, and whoever registers, stakes or opens something pays the rent of its "
        "account (0.002 SOL); send some to their addresses"
    ),
    "InsufficientFundsForFee": "the fee payer has too little SOL: send it some, or name another --payer",
    "InsufficientFundsForRent": "an account would be left with less than its rent: send the payer some SOL",
    "AccountNotFound": "the fee payer has no SOL on this network: check --rpc, send it some, or name another --payer",
    "ProgramAccountNotFound": "there is no such program on this network: check --program and --rpc",
    "InvalidProgramForExecution": "there is no such program on this network: check --program and --rpc",
    "Custom(1)": "the token account holds too little: check its balance",
}
_INTERNAL = frozenset(
    {
        *("MalformedInstruction", "MissingAccount", "TooManyAccounts", "AccountNotWritable", "MalformedFlag"),
        *("WrongSystemProgram", "WrongTokenProgram", "UnsupportedRent", "SyscallFailed"),
    }
)
_SUBJECTS = (
    (("Key", "Input", "Proof", "Upload", "Chunk", "Authority"), _KEY),
    (("Leaf", "Batch", "Demand", "Path", "Root", "Predecessor", "Committer", "Locked", "Leaves"), _BATCH),
    (("Account", "Address", "Statement", "AssignedProver", "Callback", "Vault", "ProgramData"), _ACCOUNT),
)


def advice(name: str) -> str:
    """What to do about a refusal or a runtime error of this name; empty for one that nothing is known of."""
    if name in _ADVICE:
        return _ADVICE[name]
    if name in _INTERNAL:
        return _MISMATCH
    for words, sentence in _SUBJECTS:
        if any(word in name for word in words):
            return sentence
    return ""
