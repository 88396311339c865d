"""Sends hostile requests to the business of this process, on a database of its own, and prints what they found."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from django.conf import settings  # noqa: E402

settings.ALLOWED_HOSTS = ["*"]
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

from tests.fuzz.scene import fuzzer  # noqa: E402

made = fuzzer(int(os.environ.get("FUZZ_SEED", "7")))
for finding in made.run(int(os.environ.get("FUZZ_REQUESTS", "320"))):
    print(finding)
print(f"{made.sent} requests, {made.seen}")
print(f"{len(made.findings)} findings")
