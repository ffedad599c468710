"""SPL tokens as a wallet asks for them; the token program is the real one, in LiteSVM."""

import pytest
from solana.rpc.models import TokenAccountOpts
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.system_program import CreateAccountParams, create_account
from solders.token import ID as TOKEN_PROGRAM
from solders.token.state import TokenAccount

from proofgrid.settlement.devnet.tokens import amount_form
from proofgrid.settlement.transactions import sign
from tests.settlement.cluster import PAYER
from tests.settlement.frozen import Frozen, RpcFailed, on_frozen, stranger

MINT, HOLDER = (Keypair.from_seed(bytes([n]) * 32) for n in (71, 72))
AMOUNT, DECIMALS = 1_234_500, 6


async def mint_tokens(frozen: Frozen) -> None:
    """A mint of ours, an account of ours, and tokens on it."""
    payer = PAYER.pubkey()

    def create(account: Keypair, size: int) -> Instruction:
        return create_account(
            CreateAccountParams(
                from_pubkey=payer, to_pubkey=account.pubkey(), lamports=10**7, space=size, owner=TOKEN_PROGRAM
            )
        )

    mint, holder = (AccountMeta(one.pubkey(), False, True) for one in (MINT, HOLDER))
    batch = [
        create(MINT, 82),
        Instruction(TOKEN_PROGRAM, bytes([20, DECIMALS]) + bytes(payer) + b"\0", [mint]),  # InitializeMint2
        create(HOLDER, 165),
        Instruction(TOKEN_PROGRAM, bytes([18]) + bytes(payer), [holder, mint]),  # InitializeAccount3
        Instruction(  # MintTo
            TOKEN_PROGRAM, bytes([7]) + AMOUNT.to_bytes(8, "little"), [mint, holder, AccountMeta(payer, True, False)]
        ),
    ]
    blockhash = (await frozen.client.get_latest_blockhash()).value.blockhash
    sent = await frozen.send(sign(batch, [PAYER, MINT, HOLDER], blockhash))
    assert (await frozen.status(sent)).err is None


def test_token_balances() -> None:
    async def journey(frozen: Frozen) -> None:
        await mint_tokens(frozen)
        balance = (await frozen.client.get_token_account_balance(HOLDER.pubkey())).value
        assert (balance.amount, balance.decimals, balance.ui_amount_string) == (str(AMOUNT), DECIMALS, "1.2345")
        for wrong in (MINT.pubkey(), PAYER.pubkey(), stranger()):
            with pytest.raises(RpcFailed) as raised:
                await frozen.call("getTokenAccountBalance", str(wrong), {"commitment": "confirmed"})
            assert raised.value.code == -32602

    on_frozen(journey)


def test_token_accounts_of_an_owner() -> None:
    async def journey(frozen: Frozen) -> None:
        await mint_tokens(frozen)
        for chosen in (TokenAccountOpts(mint=MINT.pubkey()), TokenAccountOpts(program_id=TOKEN_PROGRAM)):
            found = (await frozen.client.get_token_accounts_by_owner(PAYER.pubkey(), chosen)).value
            assert [entry.pubkey for entry in found] == [HOLDER.pubkey()]
            assert TokenAccount.from_bytes(found[0].account.data).amount == AMOUNT
            parsed = (await frozen.client.get_token_accounts_by_owner_json_parsed(PAYER.pubkey(), chosen)).value
            told = parsed[0].account.data.parsed["info"]["tokenAmount"]
            assert (told["amount"], told["uiAmountString"]) == (str(AMOUNT), "1.2345")
            assert (await frozen.client.get_token_accounts_by_owner(stranger(), chosen)).value == []
        other = TokenAccountOpts(mint=stranger())
        assert (await frozen.client.get_token_accounts_by_owner(PAYER.pubkey(), other)).value == []
        for wrong in ({}, {"mint": 5}, {"mint": "x"}, {"mint": str(MINT.pubkey()), "programId": str(TOKEN_PROGRAM)}):
            with pytest.raises(RpcFailed) as raised:
                await frozen.call("getTokenAccountsByOwner", str(PAYER.pubkey()), wrong)
            assert raised.value.code == -32602
        info = (await frozen.client.get_account_info_json_parsed(HOLDER.pubkey())).value
        assert info is not None
        assert info.data.program == "spl-token"

    on_frozen(journey)


@pytest.mark.parametrize(
    ("amount", "decimals", "text"),
    [(0, 0, "0"), (5, 0, "5"), (0, 9, "0"), (1, 9, "0.000000001"), (1_500, 3, "1.5"), (10**9, 9, "1")],
)
def test_amounts_are_written_exactly(amount: int, decimals: int, text: str) -> None:
    assert amount_form(amount, decimals)["uiAmountString"] == text
