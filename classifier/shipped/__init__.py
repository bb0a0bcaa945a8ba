"""The model in this folder and the digests of its files; written by `greenroom train`."""

VERSION = "2026.11.28-1"
MODEL_SHA256 = "b1ab745050da567fab48b1ab0cf9f399ac93f1da620ce9c2d48f5bf443a679cc"
CARD_SHA256 = "1e40acef83e6c0d81c9dce078fcd25a63fd73342506512b5291fbded7ae5edf6"
