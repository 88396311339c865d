"""A shop in a repository of Git: branches are made, checked out and merged as its owner and a colleague do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.release.shop import Shop
from tests.support.workplace import copied

IDENTITY = {
    f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in (("NAME", "A"), ("EMAIL", "a@b"))
}
PAGES = """
from django.contrib.auth import get_user_model
from django.apps import apps
from django.test import Client
user = get_user_model().objects.filter(is_superuser=True).first() or get_user_model().objects.create_superuser("root", "", "x")
client = Client(SERVER_NAME="localhost")
client.force_login(user)
for name in {entities}:
    model = apps.get_model("shop", name)
    base = f"/admin/shop/{{model._meta.model_name}}/"
    first = model.objects.order_by("pk").first()
    for path in (base, base + "add/", base + "export/", base + "import/", *([f"{{base}}{{first.pk}}/change/", f"{{base}}{{first.pk}}/history/"] if first else [])):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
made = apps.get_model("shop", "customer").objects.create(name="Made meanwhile")
made.name = "Changed meanwhile"
made.save()
print("pages answer", apps.get_model("shop", "customer").objects.count())
"""


class Repository(Shop):
    """A shop whose folder is a repository."""

    def git(self, *words: str, expect: int = 0) -> str:
        environment = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        ended = subprocess.run(["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True)
        assert ended.returncode == expect, ended.stdout + ended.stderr
        return ended.stdout

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def pages(self, *entities: str) -> None:
        """Check that the pages of some entities answer, and that a customer can be made and changed."""
        said = self.shell(PAGES.format(entities=entities or ("customer", "purchase"))).stdout.decode()
        assert said.startswith("pages answer "), said

    def apply_in_turn(self, *flags: str) -> str:
        """Apply, and return what it says; something may be left over then."""
        return self.run("apply", "--yes", *flags).stdout.decode()


def in_repository(shop: Shop) -> Repository:
    """Put a shop under version control, with a first commit on `main`."""
    made = Repository(shop.folder, shop.var, shop.database_url)
    (made.folder / ".gitignore").write_text("__pycache__/\n")
    made.git("init", "-q", "-b", "main")
    made.commit("The shop")
    return made


@contextmanager
def cloned(shop: Repository, full: Shop, place: Path) -> Iterator[Repository]:
    """Clone a repository, beside a copy of another shop's database: a server that is fed by pulling."""
    with copied(full, place / "copy") as copy:
        folder = place / "clone" / "shop"
        folder.parent.mkdir(parents=True)
        shop.git("clone", "-q", str(shop.folder), str(folder))
        yield Repository(folder, copy.var, copy.database_url)
