"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-6"
MODEL_SHA256 = "b1a6e1dbe8d973f84611457c4c484f54f93acfc79f3964d7da7e7458afde4945"
CARD_SHA256 = "a7e8819730240ee981038074bd2a2fe075e4521af81fefca75a2d268db61105a"
