"""The program's refusals by name; their numbers are its custom error codes and never change meaning.

``program/codegen.py`` renders them as ``ERROR_…`` constants in ``program/src/layout.h``.
"""

from enum import IntEnum

_BASE = 0x5047_0000  # "PG": keeps our numbers apart from those of programs that ours calls


class Refusal(IntEnum):
    """Why the program said no."""

    MalformedInstruction = _BASE + 1  # unknown tag, or data of the wrong length
    MissingAccount = _BASE + 2
    TooManyAccounts = _BASE + 3
    MissingSignature = _BASE + 4
    AccountNotWritable = _BASE + 5
    WrongSystemProgram = _BASE + 6
    UnsupportedRent = _BASE + 7
    SyscallFailed = _BASE + 8
    WrongTokenProgram = _BASE + 9
    Overflow = _BASE + 10  # an amount beyond 64 bits
    SameAccountTwice = _BASE + 11

    WrongUploadAddress = _BASE + 20
    WrongUploadAccount = _BASE + 21  # not ours, or not an upload
    WrongAuthority = _BASE + 22
    UploadAlreadyExists = _BASE + 23
    WrongKeySize = _BASE + 24
    ChunkOutOfBounds = _BASE + 25
    KeyDigestMismatch = _BASE + 26
    MalformedKey = (
        _BASE + 27
    )  # a point off its curve or out of its subgroup, or a point at infinity among the fixed four
    WrongKeyAddress = _BASE + 28
    KeyAlreadyRegistered = _BASE + 29
    ForgeableKey = _BASE + 30  # gamma and delta are equal or opposite: the key lacks a contribution
    WrongUploadSize = _BASE + 31  # nothing, or more than an account is made with

    WrongKeyAccount = _BASE + 40  # not ours, or not a key
    KeyNotFinalized = _BASE + 41
    WrongInputCount = _BASE + 42
    InputOutOfRange = _BASE + 43
    MalformedProof = _BASE + 44  # a coordinate that is not canonical, a point off its curve or out of its subgroup
    InvalidProof = _BASE + 45

    WrongBatchAddress = _BASE + 62
    WrongBatchNumber = _BASE + 63
    BatchAlreadyCommitted = _BASE + 64
    WrongPredecessor = _BASE + 65
    EmptyBatch = _BASE + 66
    ZeroRoot = _BASE + 67
    WrongBatchAccount = _BASE + 68
    TooManyLeaves = _BASE + 69
    NoSuchLeaf = _BASE + 70
    WrongPath = _BASE + 71
    WrongCommitter = _BASE + 72
    ChallengeWindowOpen = _BASE + 73
    ChallengeWindowOver = _BASE + 74
    LeafSettled = _BASE + 75  # paid, void, or under a demand
    LeafIsTrue = _BASE + 76
    WrongDemandAddress = _BASE + 77
    WrongDemandAccount = _BASE + 78
    WrongDemander = _BASE + 79
    DemandsOpen = _BASE + 80
    NothingLocked = _BASE + 81
    DirectOnly = _BASE + 82
    KeyRegisteredLater = _BASE + 83
    LeafVoid = _BASE + 84

    WrongConfigAddress = _BASE + 100
    WrongConfigAccount = _BASE + 101
    AlreadyInitialized = _BASE + 102
    WrongProgramData = _BASE + 103
    NotUpgradeAuthority = _BASE + 104
    WrongMint = _BASE + 105
    WrongVault = _BASE + 106
    WrongTokenAccount = _BASE + 107  # not of the SPL token program, not of this mint, frozen, or not the one named
    ParameterOutOfRange = _BASE + 108
    Paused = _BASE + 109
    NotGuardian = _BASE + 110
    NothingToCollect = _BASE + 111
    MalformedFlag = _BASE + 112  # a yes or no that is neither 1 nor 0

    WrongProposalAddress = _BASE + 120
    WrongProposalAccount = _BASE + 121
    WrongVoteAddress = _BASE + 122
    WrongVoteAccount = _BASE + 123
    WrongPermissionAddress = _BASE + 124
    WrongPermissionAccount = _BASE + 125
    UnknownChange = _BASE + 126
    VotingOver = _BASE + 127
    AlreadyVoted = _BASE + 128
    NotYetExecutable = _BASE + 129
    ProposalExpired = _BASE + 130
    AlreadyExecuted = _BASE + 131
    ProposalRejected = _BASE + 132
    ChangeTooLarge = _BASE + 133  # a window or a bond would shrink to less than half
    ProposalOutdated = _BASE + 134  # the parameters changed since it was opened

    WrongProverAddress = _BASE + 140
    WrongProverAccount = _BASE + 141
    ProverAlreadyRegistered = _BASE + 142
    ColdKeyIsHot = _BASE + 143  # owner and signer must differ
    NotOwner = _BASE + 144
    WrongPositionAddress = _BASE + 146
    WrongPositionAccount = _BASE + 147
    NotStaker = _BASE + 148
    AmountTooSmall = _BASE + 149
    NotEnoughShares = _BASE + 150
    NothingToWithdraw = _BASE + 151
    ExitWindowOpen = _BASE + 152
    StakeLocked = _BASE + 153
    StakeTooSmall = _BASE + 154

    WrongRequestAddress = _BASE + 160
    WrongRequestAccount = _BASE + 161
    RequestAlreadyOpen = _BASE + 162
    WrongDeadline = _BASE + 163
    KeyDenied = _BASE + 164
    WrongRequester = _BASE + 165
    RequestNotOpen = _BASE + 166
    RequestNotAssigned = _BASE + 167
    RequestNotOver = _BASE + 168
    NotYetExpired = _BASE + 169
    CallbackDue = _BASE + 170
    NoCallbackDue = _BASE + 171
    WrongCallbackProgram = _BASE + 172
    NotAssigner = _BASE + 175
    NotSigner = _BASE + 176
    PriceOverCap = _BASE + 177
    TooLate = _BASE + 178
    WrongStatement = _BASE + 179  # another key or other inputs than the request's
    NotYetMissed = _BASE + 180
    NotAssignedProver = _BASE + 181


def refusal_name(code: int) -> str:
    """The refusal's name, or ``Custom(code)`` for a number this version does not know."""
    try:
        return Refusal(code).name
    except ValueError:
        return f"Custom({code})"
