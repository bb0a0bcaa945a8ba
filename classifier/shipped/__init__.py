"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.22-3"
MODEL_SHA256 = "8f403baf24c78cb3584f754351b38930be4de892330f2502f08d8118f8a380c1"
CARD_SHA256 = "bfb870d313a3caaf16a042092d43058c4457a3fd6aeb6a5cbe6edffc81a70687"
