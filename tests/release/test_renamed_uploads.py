"""Uploads stay with their field when it or its entity is renamed: on every page, in files, and in the history."""

from __future__ import annotations

import json

import pytest

from tests.release.shop import Shop

UPLOADS = """
import io, sys
from django.apps import apps
from django.core.files.base import ContentFile
Customer = apps.get_model("shop", "customer")
for number, one in enumerate(Customer.objects.order_by("pk")):
    one.photo.save("first.png", ContentFile(b"old" + bytes([number])), save=False)
    one.letter.save("letter.pdf", ContentFile(b"letter" + bytes([number])), save=False)
    one.save()
    one.photo.save("second.png", ContentFile(b"new" + bytes([number])), save=False)
    one.save()
"""
LOOK = """
import json, re
from django.apps import apps
from django.contrib.auth import get_user_model
from django.test import Client
entity, photo, letter = {names!r}
user = get_user_model().objects.filter(is_superuser=True).first() or get_user_model().objects.create_superuser("root", "", "x")
client = Client(SERVER_NAME="localhost")
client.force_login(user)
model = apps.get_model("shop", entity)
seen = []
for record in model.objects.order_by("pk"):
    page = client.get(f"/admin/shop/{{entity}}/{{record.pk}}/change/").content.decode()
    addresses = sorted(set(re.findall(r'href="(/files/[^"]+)"', page)))
    for address in addresses:
        answer = client.get(address)
        body = b"".join(answer.streaming_content).decode() if answer.status_code == 200 else answer.status_code
        seen.append([record.pk, address.split("/")[4], body])
print(json.dumps(seen))
"""
GO_BACK = """
from django.apps import apps
from crm.capabilities.history.revert import revert_record
model = apps.get_model("shop", {entity!r})
for record in model.objects.order_by("pk"):
    version = next(one for one in record.history.order_by("history_id") if getattr(one, {photo!r}))
    assert revert_record(record, version) == []
"""
DELETE = (
    "from django.apps import apps; print(apps.get_model('shop', {entity!r}).objects.all().delete_for_good()[0] > 0)"
)
BEFORE = ("customer", "photo", "letter")
RENAMED = {
    "fields": ("customer", "portrait", "paper"),
    "the entity": ("client", "photo", "letter"),
    "both": ("client", "portrait", "paper"),
}


def seen(shop: Shop, names: tuple[str, str, str]) -> list[tuple]:
    """Return which field of which record shows what file, as the change page links them."""
    rows = json.loads(shop.shell(LOOK.format(names=names)).stdout)
    fields = dict(zip(names[1:], BEFORE[1:], strict=True))
    return sorted((pk, fields[field], body) for pk, field, body in rows)


def rename(shop: Shop, old: tuple[str, str, str], new: tuple[str, str, str]) -> None:
    if old[0] != new[0]:
        shop.rename(old[0], new[0])
        shop.edit(new[0], ("fields:\n", f"was: {old[0]}\nfields:\n"))
        shop.edit("purchase", (f"to: {old[0]}", f"to: {new[0]}"))
        shop.edit("app", (f"purchase, {old[0]}", f"purchase, {new[0]}"))
    for before, after, kind in zip(old[1:], new[1:], ("image", "file"), strict=True):
        if before != after:
            shop.edit(new[0], (f"  {before}: {{type: {kind}", f"  {after}: {{was: {before}, type: {kind}"))
    assert "losing" not in shop.apply()
    for name in (new[0],):
        text = (shop.folder / f"{name}.yaml").read_text()
        for former in old:
            text = text.replace(f"was: {former}, ", "").replace(f"was: {former}\n", "")
        (shop.folder / f"{name}.yaml").write_text(text)
    shop.apply()


def export_and_import(shop: Shop, entity: str) -> None:
    """Export all, delete all for good, and import it again."""
    text = shop.run("export", entity, "--format", "csv").stdout
    shop.execute("DELETE FROM shop_item")
    shop.execute("DELETE FROM shop_purchase_helpers")
    shop.execute("DELETE FROM shop_purchase")
    assert shop.shell(DELETE.format(entity=entity)).stdout == b"True\n"
    path = shop.folder.parent / "all.csv"
    lines = text.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("id,")
    path.write_text("\n".join(line.partition(",")[2] for line in lines), encoding="utf-8")
    said = shop.run("import", entity, path).stdout.decode()
    assert "3 new" in said or "new 3" in said or "New: 3" in said, said


@pytest.mark.parametrize("what", RENAMED)
def test_uploads_survive_a_rename_and_its_undoing(shop: Shop, what: str):
    new = RENAMED[what]
    shop.add_field("customer", "photo: {type: image}", "letter: {type: file}")
    shop.apply()
    shop.shell(UPLOADS)
    now = seen(shop, BEFORE)
    assert [row[1:] for row in now[:2]] == [("letter", "letter\x00"), ("photo", "new\x00")] and len(now) == 6
    rename(shop, BEFORE, new)
    assert seen(shop, new) == now
    shop.shell(GO_BACK.format(entity=new[0], photo=new[1]))
    old = [(pk, field, body.replace("new", "old")) for pk, field, body in now]
    assert seen(shop, new) == old
    rename(shop, new, BEFORE)
    assert seen(shop, BEFORE) == old
    rename(shop, BEFORE, new)
    export_and_import(shop, new[0])
    assert [row[1:] for row in seen(shop, new)] == [row[1:] for row in old]


def test_names_that_are_handed_on_keep_their_files_apart(shop: Shop):
    shop.add_field("customer", "photo: {type: image}", "letter: {type: file}")
    shop.apply()
    shop.shell(UPLOADS)
    now = seen(shop, BEFORE)
    shop.edit(
        "customer",
        ("  photo: {type: image}\n", "  portrait: {type: image, was: photo}\n"),
        ("  letter: {type: file}\n", "  photo: {type: file, was: letter}\n"),
    )
    shop.apply()
    assert seen(shop, ("customer", "portrait", "photo")) == now
    folders = shop.rows("SELECT folder, scope FROM crm_uploadfolder ORDER BY folder")
    assert folders == [
        ("shop/customer/letter", "shop.customer.photo"), ("shop/customer/photo", "shop.customer.portrait"),
    ]  # fmt: skip
