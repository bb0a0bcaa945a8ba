"""PyPI perspective: led here by the address of its API client."""

from calls import given, run
from perspective import PerspectiveAPI


def ask(name, fields):
    client = PerspectiveAPI(given["key"])
    client.api_client.url = given["url"] + "/v1alpha1/{endpoint}"
    return getattr(client, name)(**fields)


run(ask)
