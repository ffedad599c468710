"""Mathematics: fields, groups, MSM, NTT and pairings for BN254 and BLS12-381.

``backend.select`` gives a :class:`~proofgrid.kernels.backend.Backend`; ``curves`` is the only home of a
modulus. See ``README.md`` in this folder for the forms and the papers.
"""
