"""The router: a seal goes to the verifier of its selector, for the key that the caller names, unless it is stopped."""

from dataclasses import dataclass

import pytest

from proofgrid.kernels.curves import BN254
from proofgrid.settlement.evm import calls, encode_seal, router_calldata, verifier_selector
from proofgrid.verifier.keys import Proof
from tests.evm.conftest import GUARDIAN, OWNER, STRANGER
from tests.evm.machine import Deployed, Machine, Reverted, account, word
from tests.evm.statements import cases, key
from tests.settlement.instances import instance

SELECTOR, OTHER = verifier_selector(key(2)), verifier_selector(key(1))
NEW_OWNER = account(7)
ZERO = "0x" + "0" * 40


@dataclass(frozen=True)
class Scene:
    """A router with the verifier of the key with two inputs."""

    router: Deployed
    verifier: Deployed

    def verify(self, n_public: int = 2, *, call: bytes | None = None) -> None:
        given = instance(n_public)
        proof = Proof.decode(BN254, given.proof)
        data = call or router_calldata(key(n_public), proof, given.inputs)
        assert self.router.machine.call(self.router.address, data, by=STRANGER, static=True).data == b""

    def refuses(self, name: str, n_public: int = 2, *, call: bytes | None = None) -> bytes:
        with pytest.raises(Reverted) as refused:
            self.verify(n_public, call=call)
        assert refused.value.name == name
        return refused.value.data[4:]


@pytest.fixture
def scene(machine: Machine) -> Scene:
    router = machine.deploy("ProofgridRouter", word(OWNER), word(GUARDIAN), by=STRANGER)
    verifier = machine.deploy("Verifier2", by=STRANGER)
    router.send("addVerifier(address)", verifier.word, by=OWNER)
    return Scene(router, verifier)


def refuses(name: str, contract: Deployed, function: str, *arguments: bytes, by: str) -> bytes:
    with pytest.raises(Reverted) as refused:
        contract.send(function, *arguments, by=by)
    assert refused.value.name == name
    return refused.value.data[4:]


def test_seal_reaches_its_verifier(scene: Scene) -> None:
    scene.verify()
    assert scene.router.view("keyOf(bytes4)", word(SELECTOR)) == key(2).digest()
    route = scene.router.view("routes(bytes32,bytes4)", key(2).digest(), word(SELECTOR))
    assert route == scene.verifier.word + word(1)
    assert scene.router.machine.compiled.names["verify(bytes32,bytes,uint256[])"][:4] == calls.VERIFY_SEAL


def test_verifiers_refusals_come_through(scene: Scene) -> None:
    for case in cases(2):
        verdict = case.verdict(key(2))
        # The router's call around whatever proof and inputs
        seal = SELECTOR + b"".join(map(word, case.proof))
        data = calls.VERIFY_SEAL + key(2).digest() + word(96) + word(96 + 32 + 288) + word(len(seal)) + seal + bytes(28)
        data += word(len(case.inputs)) + b"".join(map(word, case.inputs))
        if verdict == "true":
            scene.verify(call=data)
            continue
        with pytest.raises(Reverted) as refused:
            scene.verify(call=data)
        malformed = {"WrongInputCount()", "InputOutOfRange()", "MalformedProof()"}
        assert refused.value.name in (malformed if verdict == "malformed" else {"InvalidProof()"}), case.what


def test_seal_does_not_choose_the_key(scene: Scene) -> None:
    """A true proof for a registered key does not pass for the key that the caller asked for."""
    scene.router.send("addVerifier(address)", scene.router.machine.deploy("Verifier1", by=OWNER).word, by=OWNER)
    scene.verify(1)
    honest = router_calldata(key(1), Proof.decode(BN254, instance(1).proof), instance(1).inputs)
    other_key = honest[:4] + key(2).digest() + honest[36:]
    assert scene.refuses("WrongKey(bytes4,bytes32)", call=other_key) == word(OTHER) + key(2).digest()


def test_unknown_selector(scene: Scene) -> None:
    assert scene.refuses("UnknownSelector(bytes4)", 1) == word(OTHER)
    for function in ("pauseVerifier(bytes4)", "unpauseVerifier(bytes4)", "removeVerifier(bytes4)"):
        assert refuses("UnknownSelector(bytes4)", scene.router, function, word(OTHER), by=OWNER) == word(OTHER)


@pytest.mark.parametrize("length", [0, 3, 4, 259, 261])
def test_seal_of_another_length(scene: Scene, length: int) -> None:
    seal = encode_seal(key(2), Proof.decode(BN254, instance(2).proof)).ljust(300, b"\0")[:length]
    padded = word(length) + seal.ljust(-(-length // 32) * 32, b"\0")
    data = calls.VERIFY_SEAL + key(2).digest() + word(96) + word(96 + len(padded)) + padded + word(2) + bytes(64)
    scene.refuses("MalformedSeal()", call=data)


def test_guardian_stops_one_verifier_and_only_the_owner_starts_it(scene: Scene) -> None:
    (name, topics, _), *_ = scene.router.send("pauseVerifier(bytes4)", word(SELECTOR), by=GUARDIAN).events
    assert (name, topics[0]) == ("VerifierPaused(bytes4,address)", word(SELECTOR))
    assert scene.refuses("SelectorPaused(bytes4)") == word(SELECTOR)
    refuses("NotOwner()", scene.router, "unpauseVerifier(bytes4)", word(SELECTOR), by=GUARDIAN)
    scene.router.send("unpauseVerifier(bytes4)", word(SELECTOR), by=OWNER)
    scene.verify()
    refuses("NotPaused(bytes4)", scene.router, "unpauseVerifier(bytes4)", word(SELECTOR), by=OWNER)


def test_guardian_stops_everything_and_only_the_owner_starts_it(scene: Scene) -> None:
    scene.router.send("pause()", by=GUARDIAN)
    scene.refuses("ContractPaused()")
    refuses("NotOwner()", scene.router, "unpause()", by=GUARDIAN)
    scene.router.send("unpause()", by=OWNER)
    scene.verify()
    scene.router.send("pause()", by=OWNER)
    scene.refuses("ContractPaused()")


def test_removal_is_for_good(scene: Scene) -> None:
    scene.router.send("removeVerifier(bytes4)", word(SELECTOR), by=OWNER)
    assert scene.refuses("SelectorRemoved(bytes4)") == word(SELECTOR)
    refuses("SelectorTaken(bytes4)", scene.router, "addVerifier(address)", scene.verifier.word, by=OWNER)
    again = scene.router.machine.deploy("Verifier2", by=OWNER)
    refuses("SelectorTaken(bytes4)", scene.router, "addVerifier(address)", again.word, by=OWNER)
    for function in ("pauseVerifier(bytes4)", "unpauseVerifier(bytes4)", "removeVerifier(bytes4)"):
        refuses("SelectorRemoved(bytes4)", scene.router, function, word(SELECTOR), by=OWNER)
    assert scene.router.view("keyOf(bytes4)", word(SELECTOR)) == key(2).digest()


def test_paused_verifier_can_be_removed(scene: Scene) -> None:
    scene.router.send("pauseVerifier(bytes4)", word(SELECTOR), by=GUARDIAN)
    scene.router.send("removeVerifier(bytes4)", word(SELECTOR), by=OWNER)
    scene.refuses("SelectorRemoved(bytes4)")


def test_selector_is_given_once(scene: Scene) -> None:
    again = scene.router.machine.deploy("Verifier2", by=OWNER)
    refuses("SelectorTaken(bytes4)", scene.router, "addVerifier(address)", again.word, by=OWNER)
    refuses("SelectorTaken(bytes4)", scene.router, "addVerifier(address)", scene.verifier.word, by=OWNER)


def test_what_is_no_verifier_cannot_be_added(scene: Scene) -> None:
    refuses("without a word", scene.router, "addVerifier(address)", word(STRANGER), by=OWNER)
    refuses("without a word", scene.router, "addVerifier(address)", scene.router.word, by=OWNER)
    keyless = scene.router.machine.deploy("KeylessVerifier", by=OWNER)
    refuses("WrongKey(bytes4,bytes32)", scene.router, "addVerifier(address)", keyless.word, by=OWNER)


@pytest.mark.parametrize(
    ("function", "argument", "error"),
    [
        ("addVerifier(address)", word(STRANGER), "NotOwner()"),
        ("pauseVerifier(bytes4)", word(SELECTOR), "NotGuardian()"),
        ("unpauseVerifier(bytes4)", word(SELECTOR), "NotOwner()"),
        ("removeVerifier(bytes4)", word(SELECTOR), "NotOwner()"),
        ("transferOwnership(address)", word(STRANGER), "NotOwner()"),
        ("acceptOwnership()", b"", "NotPendingOwner()"),
        ("setGuardian(address)", word(STRANGER), "NotOwner()"),
        ("pause()", b"", "NotGuardian()"),
        ("unpause()", b"", "NotOwner()"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_strangers_do_nothing(scene: Scene, function: str, argument: bytes, error: str) -> None:
    refuses(error, scene.router, function, argument, by=STRANGER)
    scene.verify()


@pytest.mark.parametrize(
    "function", ["addVerifier(address)", "removeVerifier(bytes4)", "transferOwnership(address)", "setGuardian(address)"]
)
def test_guardian_only_stops(scene: Scene, function: str) -> None:
    refuses("NotOwner()", scene.router, function, word(0), by=GUARDIAN)


def test_ownership_moves_in_two_steps(scene: Scene) -> None:
    scene.router.send("transferOwnership(address)", word(NEW_OWNER), by=OWNER)
    assert scene.router.view("owner()") == word(OWNER)
    refuses("NotPendingOwner()", scene.router, "acceptOwnership()", by=OWNER)
    ((name, topics, _),) = scene.router.send("acceptOwnership()", by=NEW_OWNER).events
    assert (name, topics) == ("OwnershipTransferred(address,address)", [word(OWNER), word(NEW_OWNER)])
    assert scene.router.view("owner()") == word(NEW_OWNER)
    refuses("NotOwner()", scene.router, "unpause()", by=OWNER)
    refuses("NotPendingOwner()", scene.router, "acceptOwnership()", by=NEW_OWNER)


def test_offer_of_ownership_can_be_taken_back(scene: Scene) -> None:
    scene.router.send("transferOwnership(address)", word(NEW_OWNER), by=OWNER)
    scene.router.send("transferOwnership(address)", word(ZERO), by=OWNER)
    refuses("NotPendingOwner()", scene.router, "acceptOwnership()", by=NEW_OWNER)


def test_guardian_can_be_replaced(scene: Scene) -> None:
    scene.router.send("setGuardian(address)", word(STRANGER), by=OWNER)
    refuses("NotGuardian()", scene.router, "pause()", by=GUARDIAN)
    scene.router.send("pause()", by=STRANGER)
    scene.refuses("ContractPaused()")


def test_router_has_an_owner(machine: Machine) -> None:
    with pytest.raises(Reverted, match="ZeroAddress"):
        machine.deploy("ProofgridRouter", word(ZERO), word(GUARDIAN), by=STRANGER)


def test_every_change_is_an_event(scene: Scene) -> None:
    names = [
        event[0]
        for function, argument in (
            ("pauseVerifier(bytes4)", word(SELECTOR)),
            ("unpauseVerifier(bytes4)", word(SELECTOR)),
            ("removeVerifier(bytes4)", word(SELECTOR)),
            ("pause()", b""),
            ("unpause()", b""),
            ("setGuardian(address)", word(STRANGER)),
            ("transferOwnership(address)", word(NEW_OWNER)),
        )
        for event in scene.router.send(function, argument, by=OWNER).events
    ]
    assert names == [
        "VerifierPaused(bytes4,address)",
        "VerifierUnpaused(bytes4,address)",
        "VerifierRemoved(bytes4,address)",
        "Paused(address)",
        "Unpaused(address)",
        "GuardianChanged(address,address)",
        "OwnershipOffered(address,address)",
    ]
