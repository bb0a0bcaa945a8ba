"""PyPI akismet, which is led here by its documented `http_client`."""

import akismet
import httpx
from calls import given, run


class Here(httpx.HTTPTransport):
    """Sends what goes to rest.akismet.com to the server under test."""

    def handle_request(self, request):
        here = httpx.URL(given["url"])
        assert request.url.host == "rest.akismet.com"
        request.url = request.url.copy_with(scheme=here.scheme, host=here.host, port=here.port)
        request.headers["Host"] = f"{here.host}:{here.port}"
        return super().handle_request(request)


config = akismet.Config(key=given["key"], url=given["blog"])
client = akismet.SyncClient(config=config, http_client=httpx.Client(transport=Here(), timeout=1.0))


def call(name, fields):
    if name == "validated_client":
        return type(
            akismet.SyncClient.validated_client(config=config, http_client=client._http_client)
        ).__name__
    if name == "verify_key":
        return client.verify_key(key=given["key"], url=given["blog"])
    found = getattr(client, name)(**fields)
    return found.name if isinstance(found, akismet.CheckResponse) else found


run(call)
