"""What became of each call of a client: its value, or the error it raised."""

import json
import sys

given = json.load(sys.stdin)


def tell(client, name, fields):
    """What an outcome is in JSON."""
    try:
        value = client(name, fields)
    except Exception as error:
        return {"error": type(error).__name__, "text": str(error)}
    return {
        "value": value if value is None or isinstance(value, bool | int | str | list | dict) else repr(value)
    }


def run(client):
    """Make the calls that were given, by the names of the client's own methods."""
    print(json.dumps([tell(client, name, fields) for name, fields in given["calls"]]))
