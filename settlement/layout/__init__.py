"""The one home of every byte that crosses between the on-chain program and this client.

Tags, records, accounts with their checks, seeds and limits are declared here, one module for each subject, and
refusals in :mod:`..refusals`; ``program/codegen.py`` renders all of it as ``program/src/layout.h``.
"""

from proofgrid.settlement.layout import batches, config, governance, keys, provers, requests, uploads

_SUBJECTS = (uploads, keys, batches, config, governance, provers, requests)

ACCOUNTS = tuple(account for subject in _SUBJECTS for account in subject.ACCOUNTS)
"""Every record that stands in an account of the program."""
RECORDS = (*config.RECORDS, *governance.RECORDS, *batches.RECORDS)
"""Every record within another."""
INSTRUCTIONS = tuple(instruction for subject in _SUBJECTS for instruction in subject.INSTRUCTIONS)
SEEDS = {name: seed for subject in _SUBJECTS for name, seed in subject.SEEDS.items()}
"""What each program-derived address begins with."""
