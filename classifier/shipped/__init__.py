"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.22-2"
MODEL_SHA256 = "8f403baf24c78cb3584f754351b38930be4de892330f2502f08d8118f8a380c1"
CARD_SHA256 = "6ca9057e7cb6c2075221ff6f946196a945c5ada0dd0d1042dd3c551d15e283a7"
