"""A LiteSVM that refuses what a real validator refuses."""

from solders.litesvm import FeatureSet, LiteSVM

FAUCET_LAMPORTS = 10**18


def strict_svm(features: FeatureSet | None = None, *, blockhash_check: bool = True) -> LiteSVM:
    """A machine with signature and duplicate checks under mainnet's features, or under those given."""
    svm = LiteSVM.default()
    svm = svm.with_mainnet_features() if features is None else svm.with_feature_set(features)
    return (
        svm.with_feature_accounts()
        .with_builtins()
        .with_lamports(FAUCET_LAMPORTS)
        .with_sysvars()
        .with_default_programs()
        .with_sigverify(True)
        .with_blockhash_check(blockhash_check)
    )
