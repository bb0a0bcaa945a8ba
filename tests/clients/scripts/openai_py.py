"""PyPI openai: led here by its setting base_url."""

from calls import given, run
from openai import OpenAI


def ask(name, fields):
    client = OpenAI(api_key=given["key"], base_url=given["url"] + "/v1", max_retries=0)
    return client.moderations.create(**fields).model_dump(by_alias=True)


run(ask)
