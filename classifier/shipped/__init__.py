"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-4"
MODEL_SHA256 = "aa7234060dfba294a00a4df98152aef9ae419f0cf51622c7a1d5d9db649cbb84"
CARD_SHA256 = "c3ce06bdbbdb966317fdcf190e65a4152400f6c9bd150c799dcce8320ffd36c5"
