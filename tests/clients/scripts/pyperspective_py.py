"""PyPI PyPerspective: its address is the module's own."""

from calls import given, run
from PyPerspective import Perspective as perspective_module  # noqa: N813 - a module with a class's name


def ask(_name, fields):
    perspective_module.base_url = given["url"] + "/v1alpha1/comments:analyze"
    client = perspective_module.Perspective(given["key"])
    return str(client.get_score(fields["text"], tests=fields["tests"], langs=["en"]))


run(ask)
