"""GET /$discovery/rest"""

from flask.testing import FlaskClient

from moderation.services.access import NewSite

PATH = "/$discovery/rest?version=v1alpha1"


def test_it_describes_both_methods_below_the_own_address(client: FlaskClient) -> None:
    found = client.get(PATH).get_json()
    assert found["rootUrl"] == found["baseUrl"] == "http://localhost/"
    methods = found["resources"]["comments"]["methods"]
    assert {one["path"] for one in methods.values()} == {
        "v1alpha1/comments:analyze",
        "v1alpha1/comments:suggestscore",
    }
    for one in methods.values():
        assert {one["request"]["$ref"], one["response"]["$ref"]} <= set(found["schemas"])


def test_a_wrong_key_is_told_here_already(client: FlaskClient, alma: NewSite) -> None:
    answer = client.get(f"{PATH}&key=wrong")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["message"] == "API key not valid. Please pass a valid API key."
    assert client.get(f"{PATH}&key={alma.secret_key}").status_code == 200
