"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-4"
MODEL_SHA256 = "4389be7c44a724655e2f2d8e3e3060610e97d04fbd59ad7179e2f652187c6fdf"
CARD_SHA256 = "a6a6b2e127e6c3b89a5022870f1603ffd338f6395779730354d00a68ea41f7b0"
