"""PyPI google-api-python-client: it builds itself from this service's discovery document."""

from calls import given, run
from googleapiclient import discovery


def ask(name, fields):
    client = discovery.build(
        "commentanalyzer",
        "v1alpha1",
        developerKey=given["key"],
        discoveryServiceUrl=given["url"] + "/$discovery/rest?version=v1alpha1",
        static_discovery=False,
    )
    return getattr(client.comments(), name)(body=fields).execute()


run(ask)
