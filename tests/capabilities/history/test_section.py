"""The key `history:` of an entity: only some fields tracked, a reason that must be given, and what is refused there."""

from __future__ import annotations

import json
import textwrap

import pytest

from tests.blueprint.writing import told
from tests.release.shop import new_shop

DEFINITIONS = {
    "app": "name: Clinic\nroles: {clerk: {can: [view, add, change]}}",
    "patient": """
label: Patient
title: "{name}"
fields:
  name: {type: text, required: true}
  ward: text
  home: address
  marks: tags
  visits: {type: table, of: visit}
history: {track: [name, home], reason: true}
""",
    "visit": """
label: Visit
title: "{day}"
fields:
  day: {type: date, required: true}
  notes: long_text
history: {track: [day]}
""",
}
SCRIPT = """
import json
import re
from django.apps import apps
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment
from crm.capabilities.history.timeline import read_timeline
from crm.records.changes import change_scope
from tests.support.pages import address, fill_in, said, save, text_of
setup_test_environment()
Patient, Visit = apps.get_model("shop", "patient"), apps.get_model("shop", "visit")
client, found = Client(HTTP_HOST="localhost"), {}
client.force_login(get_user_model()._default_manager.create_superuser("root", "", "x"))

def story(patient):
    return [[[one.label, one.old, one.new] for part in entry.parts for one in part.differences] for entry in read_timeline(patient)]

patient = Patient.objects.create(name="Ada", ward="A")
found["columns"] = sorted(one.name for one in Patient.history.model.tracked_fields)
first = patient.history.first()
patient.ward, patient.home_city = "B", "York"
patient.save()
with change_scope():
    visit = Visit.objects.create(patient=patient, day="2026-05-01", notes="secret")
found["story"] = story(patient)

page = save(client, "patient", patient, name="Ben")
found["refused"] = [page.status_code, page.context["adminform"].form.errors.get("change_reason")]
found["error shown"] = "This field is required." in page.content.decode().split('id="id_change_reason"')[1][:900]
page = save(client, "patient", patient, name="Ben", change_reason="She said so")
patient.refresh_from_db()
found["taken"] = [page.status_code, patient.name, read_timeline(patient)[0].reason]
found["added without"] = save(client, "patient", name="Cem").status_code

url = address("patient", "revert", patient.pk, first.history_id)
seen = re.search('name="seen" value="([^"]*)"', client.get(url).content.decode())[1]
page = client.post(url, {"seen": seen})
patient.refresh_from_db()
found["revert without"] = [page.status_code, patient.name, "This field is required." in page.content.decode()]
page = client.post(url, {"seen": seen, "change_reason": "A mistake"})
patient.refresh_from_db()
found["revert"] = [page.status_code, patient.name, patient.ward, patient.home_city, Visit.objects.count()]

bulk = {"action": "edit", "_selected_action": [patient.pk], "crm_field": "ward", "crm_save": "1", "ward": "Z"}
client.post(address("patient"), bulk)
patient.refresh_from_db()
found["bulk without"] = patient.ward
client.post(address("patient"), {**bulk, "change_reason": "They moved"})
patient.refresh_from_db()
found["bulk"] = patient.ward
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a small clinic's own server did, told by a script that ran in it."""
    with new_shop(tmp_path_factory.mktemp("clinic"), DEFINITIONS) as clinic:
        clinic.run("apply", "--yes")
        return json.loads(clinic.shell(SCRIPT).stdout.decode().splitlines()[-1])


def test_only_what_is_tracked_is_kept(found):
    assert {"name", "home_city", "home_country"} <= set(found["columns"])
    assert not {"ward", "marks"} & set(found["columns"])


def test_the_story_tells_of_tracked_fields_and_of_the_rows(found):
    newest, change, added = found["story"]
    assert newest == [["Day", "", "1 May 2026"]] or newest[0][0] == "Day"
    assert change == [["Home: city", "", "York"]]
    assert ["Name", "", "Ada"] in added and "Ward" not in {label for label, _, _ in added}


def test_a_change_without_a_reason_is_refused_beside_its_input(found):
    assert found["refused"] == [200, ["This field is required."]]
    assert found["error shown"]
    assert found["taken"] == [302, "Ben", "She said so"]


def test_adding_needs_no_reason(found):
    assert found["added without"] == 302


def test_going_back_needs_a_reason_too_and_leaves_alone_what_is_not_tracked(found):
    assert found["revert without"] == [200, "Ben", True]
    assert found["revert"] == [302, "Ada", "B", "", 0]


def test_bulk_editing_needs_a_reason_too(found):
    assert (found["bulk without"], found["bulk"]) == ("B", "Z")


@pytest.mark.parametrize(
    ("section", "complaint"),
    [
        ("{track: [nmae]}", "there is no field 'nmae' (Did you mean 'name'?)"),
        ("{track: some}", "track"),
        ("{reason: perhaps}", "reason"),
        ("{trakc: all}", "trakc"),
    ],
)
def test_what_is_wrong_in_the_section_is_told_with_its_place(section, complaint):
    problems = told(thing=textwrap.dedent(f"fields: {{name: text}}\nhistory: {section}"))
    assert len(problems) == 1 and problems[0].startswith("thing.yaml:2:") and complaint in problems[0]
