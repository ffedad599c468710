"""The addresses of the programs that ours calls or reads, as bytes: the build does without a chain's libraries."""

TOKEN_PROGRAM = bytes.fromhex("06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9")
"""TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"""
LOADER = bytes.fromhex("02a8f6914e88a1b0e210153ef763ae2b00c2b93d16c124d2c0537a1004800000")
"""BPFLoaderUpgradeab1e11111111111111111111111"""
