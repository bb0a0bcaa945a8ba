"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.22-4"
MODEL_SHA256 = "dc2760796ce59b0a3c168c0be813abf9cbdecff7c3137cb5ec4b4b0ef999a9b0"
CARD_SHA256 = "d0aba432e6723d88d311510ad9e04dbe8a65054ec01f5af40bd9e7996ec33130"
