"""The ground these tests stand on: a server that answers, and scripts that reach it."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.running import ENVIRONMENT, run_node, run_python
from tests.served import Served


@pytest.mark.parametrize(("run", "script"), [(run_python, "echo.py"), (run_node, "echo.mjs")])
def test_a_script_reaches_the_server_and_hands_back_what_it_prints(
    served: Served, run: Callable[..., Any], script: str
) -> None:
    assert run(script, {"url": served.url, "word": "größer"}) == {"status": 200, "word": "größer"}


@pytest.mark.parametrize("name", ["akismet_async", "perspective.py", "perspectiveapi", "python_akismet"])
def test_a_client_that_shares_its_module_with_another_lies_apart(name: str) -> None:
    folder = ENVIRONMENT / "apart" / name
    code = "import akismet, perspective; print(akismet.__file__, perspective.__file__)"
    done = subprocess.run(
        [ENVIRONMENT / "bin" / "python", "-c", code],
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(folder) in done.stdout
