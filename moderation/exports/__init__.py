"""Readers of the exports of other systems."""
