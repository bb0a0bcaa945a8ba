"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.22-4"
MODEL_SHA256 = "9f8441a1e9ededb6b51fa6def229239adda1393d752266a8387b9c1cd5cbb812"
CARD_SHA256 = "6a43df0f49cb0fa58560e804e94d6b50e796560c430849afdb7f00cb9e8ce988"
