"""Ask an address and tell what came, with the word that was given."""

import json
import sys
import urllib.request

given = json.load(sys.stdin)
with urllib.request.urlopen(given["url"] + "/healthz", timeout=10) as answer:
    print(json.dumps({"status": answer.status, "word": given["word"]}))
