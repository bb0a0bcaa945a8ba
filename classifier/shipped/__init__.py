"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-5"
MODEL_SHA256 = "2e0f1ecea359bfb9d8868f8af79bfc4fe7d05ef6f9ec909420d2f5523de7fff1"
CARD_SHA256 = "ba8af0bfaead3a678eae2a40463d326ed74d88c94fe722f3b40a5bfc8ae25377"
