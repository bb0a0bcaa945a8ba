"""Verify one request as a receiver would: its type, or the error's name."""

import json
import sys

from standardwebhooks import Webhook

given = json.load(sys.stdin)
try:
    told = Webhook(given["secret"]).verify(given["body"], given["headers"])["type"]
except Exception as error:
    told = type(error).__name__
print(json.dumps(told))
