"""The program's refusals by name; their numbers are its custom error codes and never change meaning.

``program/codegen.py`` renders them as ``ERROR_…`` constants in ``program/src/layout.h``.
"""

from enum import IntEnum


class Refusal(IntEnum):
    """Why the program said no."""

    MalformedInstruction = 1  # unknown tag, or data of the wrong length
    MissingAccount = 2
    TooManyAccounts = 3
    MissingSignature = 4
    AccountNotWritable = 5
    WrongSystemProgram = 6
    UnsupportedRent = 7
    SyscallFailed = 8

    WrongUploadAddress = 20
    WrongUploadAccount = 21  # not ours, or not an upload
    WrongAuthority = 22
    UploadAlreadyExists = 23
    WrongKeySize = 24
    ChunkOutOfBounds = 25
    KeyDigestMismatch = 26
    MalformedKey = 27  # a point off its curve or out of its subgroup, or a point at infinity among the fixed four
    WrongKeyAddress = 28
    KeyAlreadyRegistered = 29

    WrongKeyAccount = 40  # not ours, or not a key
    KeyNotFinalized = 41
    WrongInputCount = 42
    InputOutOfRange = 43
    MalformedProof = 44  # a coordinate that is not canonical, a point off its curve or out of its subgroup
    InvalidProof = 45

    WrongLogAddress = 60
    WrongLogAccount = 61
    WrongBatchAddress = 62
    WrongBatchNumber = 63
    BatchAlreadyCommitted = 64
    WrongPredecessor = 65
    EmptyBatch = 66
    ZeroRoot = 67


def refusal_name(code: int) -> str:
    """The refusal's name, or ``Custom(code)`` for a number this version does not know."""
    try:
        return Refusal(code).name
    except ValueError:
        return f"Custom({code})"
