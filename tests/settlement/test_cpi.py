"""Other programs may ask verify_groth16, and cannot be told yes by a false proof."""

from functools import cache
from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from proofgrid.settlement.instructions import keys
from proofgrid.settlement.program import build
from tests.settlement.chains import Chain
from tests.settlement.instances import Instance, instance


@cache
def caller() -> bytes:
    return build.build_other(Path(__file__).parent / "programs" / "caller.c")


def call(chain: Chain, given: Instance, program: Pubkey) -> Instruction:
    inner = keys.verify_groth16(chain.program_id, given.digest, given.inputs, given.proof)
    return Instruction(program, inner.data, [*inner.accounts, AccountMeta(chain.program_id, False, False)])


def test_caller_gets_the_keys_digest(chain: Chain) -> None:
    given, program = instance(1), Pubkey.new_unique()
    chain.register(given)
    chain.svm.add_program(program, caller())
    result = chain.send(call(chain, given, program))
    assert result.return_data().program_id == program
    assert result.return_data().data == given.digest
    assert result.compute_units_consumed() < 100_000


def test_refusal_reaches_the_caller_by_name(chain: Chain) -> None:
    given, program = instance(1), Pubkey.new_unique()
    chain.register(given)
    chain.svm.add_program(program, caller())
    chain.refuses("InvalidProof", call(chain, given.with_points(c=given.a), program))
