"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-3"
MODEL_SHA256 = "e428587e57eec21fb6919dc33816a41e482af01022464bb0430d2575aae1f541"
CARD_SHA256 = "02d55a152867c15686d7b69cb7c0ad52fc7e1ecc2663b7735ba2ebee3252617d"
