"""A network of one's own on a devnet: a mint, the config, and a prover with stake; what is there already is kept."""

from dataclasses import dataclass

from solana.rpc.commitment import Confirmed
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from proofgrid.settlement import tokens
from proofgrid.settlement.accounts import ProverAccount
from proofgrid.settlement.addresses import config_address, prover_address
from proofgrid.settlement.instructions import config, provers
from proofgrid.settlement.parameters import Parameters
from proofgrid.settlement.rpc import ask, fetch_account, fetch_owned
from proofgrid.settlement.sender import Sender

DECIMALS = 9


@dataclass(frozen=True)
class Founders:
    """The keys of a network's beginning: the payer is the sender's; ``tokens`` becomes the owner's token account."""

    owner: Keypair
    mint: Keypair
    tokens: Keypair
    treasury: Keypair


async def found(
    sender: Sender, program_id: Pubkey, founders: Founders, signer: Pubkey, *, parameters: Parameters, stake: int
) -> Pubkey:
    """Make the network, register ``founders.owner`` as a prover whose hot key is ``signer``, and stake; its account.

    ``sender.payer`` is the program's upgrade authority and becomes the mint's and the network's guardian. Idempotent:
    stake is brought up to ``stake`` tokens. Raises ProgramRefused, ChainUnavailable.
    """
    client, payer = sender.client, sender.payer.pubkey()
    owner, mint = founders.owner.pubkey(), founders.mint.pubkey()

    async def rent(size: int) -> int:
        return (await ask(client.get_minimum_balance_for_rent_exemption(size, Confirmed))).value

    if await fetch_account(client, mint) is None:
        made = tokens.create_mint(payer, mint, payer, decimals=DECIMALS, rent=await rent(tokens.MINT_SIZE))
        await sender.send([*made], signers=[founders.mint])
    for account, holder in ((founders.tokens, owner), (founders.treasury, payer)):
        if await fetch_account(client, account.pubkey()) is None:
            made = tokens.create_token_account(
                payer, account.pubkey(), mint, holder, rent=await rent(tokens.TOKEN_ACCOUNT_SIZE)
            )
            await sender.send([*made], signers=[account])
    if await fetch_owned(client, config_address(program_id)[0], program_id) is None:
        begin = config.initialize(
            program_id, payer, mint=mint, treasury=founders.treasury.pubkey(), guardian=payer, parameters=parameters
        )
        await sender.send([begin])
    prover, _ = prover_address(program_id, owner)
    data = await fetch_owned(client, prover, program_id)
    if data is None:
        register = provers.register_prover(program_id, owner, signer=signer, payout=founders.tokens.pubkey())
        await sender.send([register], signers=[founders.owner])
    missing = stake - (0 if data is None else ProverAccount.decode(data).stake)
    if missing > 0:
        deposit = provers.deposit_stake(program_id, prover, owner, founders.tokens.pubkey(), missing)
        await sender.send(
            [tokens.mint_to(mint, founders.tokens.pubkey(), payer, missing), deposit], signers=[founders.owner]
        )
    return prover
