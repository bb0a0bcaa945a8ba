"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-2"
MODEL_SHA256 = "593830ccb5ae22f16d079190b7f3ca453a455d8f75f91b92ee815073e72f3c95"
CARD_SHA256 = "25042461f4169e10b2cc09779b11ee42a7ec323d4612faeef31675d934842fcc"
