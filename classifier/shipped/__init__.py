"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.22-1"
MODEL_SHA256 = "854066ab79037452e62d1e90f59e793f7e2c368cd55a7351b360d0d698c10bff"
CARD_SHA256 = "f2d39bda2dc9c5dffe633232a89acf00d3a5f6e7e7b50b7898043a562955711d"
