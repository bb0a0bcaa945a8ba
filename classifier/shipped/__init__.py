"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-7"
MODEL_SHA256 = "7ca11fcb160665d9207982eebf432ca7c44261b87a13007625a33700f06d34bc"
CARD_SHA256 = "1aa54f958abe9b77d8cbcfcf3c35f78dc3626ef549f7ac4384d3fa12d258a032"
