"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.27-1"
MODEL_SHA256 = "85fdae9ac0bca0e8405244befed601c5a44a5bf7e6b377b01ce9bfe3287a7b1e"
CARD_SHA256 = "f19e3411f6949de0be2c519018389a7835ba5b2b3af7d7cc282b0cfa88839c12"
