"""No request stops a worker: none is answered by an error, none takes a second of processor or two megabytes.

A slice of the requests is sent in every run of the tests. `FUZZ_REQUESTS=5000` sends as many, and to another business in
a process of its own as well; `FUZZ_SEED` throws other dice.
"""

from __future__ import annotations

import os

import pytest
from django.test import RequestFactory

from tests.fuzz.requests import Fuzzer, Request
from tests.fuzz.scene import fuzzer
from tests.support.workplace import ENGINES, ROOT, workplace

COUNT, SEED = int(os.environ.get("FUZZ_REQUESTS", "320")), int(os.environ.get("FUZZ_SEED", "7"))
SCRIPT = ROOT / "tests" / "fuzz" / "run.py"
SLICE = 320


def told(findings) -> str:
    return f"{len(findings)} findings\n" + "\n".join(map(str, findings[:60]))


@pytest.mark.django_db
def test_no_request_to_travel_is_an_error_slow_or_large():
    made = fuzzer(SEED, "sales")
    findings = made.run(COUNT)
    assert not findings, told(findings)
    answered = made.seen
    assert made.sent >= COUNT and answered[200] > COUNT / 10 and answered[400] and answered[302] and answered[404]


@pytest.mark.skipif(COUNT <= SLICE, reason="FUZZ_REQUESTS asks for it")
@pytest.mark.parametrize("engine", ENGINES)
def test_no_request_to_a_business_of_every_type_is_an_error_slow_or_large(tmp_path, engine):
    with workplace("every", tmp_path, engine) as place:
        said = place.run_script(SCRIPT).decode()
        assert said.strip().endswith("0 findings"), said


@pytest.mark.django_db
def test_the_fuzz_notices_an_error_a_slow_and_a_large_answer(monkeypatch):
    """The negative control: views that fail, take long or say too much are found."""
    from crm.builders import site

    def context(business, request):
        if request.GET.get("q") == "fail":
            raise RuntimeError
        if request.GET.get("q") == "slow":
            sum(range(90_000_000))
        return {"title": "x" * (2_000_001 if request.GET.get("q") == "large" else 1)}

    monkeypatch.setattr(site, "home_context", context)
    made: Fuzzer = fuzzer(SEED, "sales")
    path = RequestFactory().get("/admin/").path
    for word in ("fine", "fail", "slow", "large"):
        monkeypatch.setattr(type(made), "_timed", type(made)._timed)
        made._send(Request("GET", path, {"q": word}, role="admin"))
    kinds = [one.what for one in made.findings]
    assert (
        kinds[0] in {"500", "exception"} and kinds[1].endswith(" s") and kinds[2].endswith("bytes") and len(kinds) == 3
    )
