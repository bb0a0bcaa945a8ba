"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-8"
MODEL_SHA256 = "c2db91643525f1c03b37748c06cc5ed5e3d7ae6be82d400d63627d79ee09af16"
CARD_SHA256 = "3da5554721682e2dac549a1108af59a7baafc00b833b467bb143fc44b1c2b8c7"
