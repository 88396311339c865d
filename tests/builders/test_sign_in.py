"""Signing in: who guesses passwords must wait, from one address or from many; who knows theirs comes in."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import F
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.builders.sign_in import ACCOUNT, ADDRESS, PAIR, client_address
from tests.support.pages import text_of

RIGHT, WRONG = "a long secret of mine", "a guess"
HERE, THERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def counted(settings, db):
    """Sign-ins are counted, as they are in production."""
    settings.AXES_ENABLED = True
    settings.AUTH_PASSWORD_VALIDATORS = []
    return get_user_model()._default_manager.create_user("ada", password=RIGHT, is_staff=True)


def sign_in(username="ada", password=RIGHT, address=HERE, **headers):
    url = reverse("admin:login")
    return Client().post(url, {"username": username, "password": password}, REMOTE_ADDR=address, **headers)


def fail(times, username="ada", address=HERE):
    return [sign_in(username, WRONG, address).status_code for _ in range(times)]


def later(**time):
    """Let time pass: what happened lies further back."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(**time))


def test_after_five_failures_even_the_right_password_must_wait():
    assert fail(PAIR.failures) == [200] * (PAIR.failures - 1) + [429]
    refused = sign_in()
    assert refused.status_code == 429 and 0 < int(refused["Retry-After"]) <= 60
    assert "too many failed attempts to sign in. Try again in a minute" in text_of(refused)
    assert 'name="password"' in refused.content.decode(), "the form is there to try again"
    later(minutes=1)
    assert sign_in().status_code == 302


def test_a_lockout_is_a_line_of_the_log_with_the_address_and_without_what_was_typed(caplog):
    fail(PAIR.failures, username=RIGHT)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "crm.builders.sign_in"]
    assert line == f"Signing in is locked for 60 seconds, from {HERE}" and RIGHT not in caplog.text


def test_nobody_is_kept_out_where_sign_ins_are_not_counted(settings):
    """The negative control: what stops the guesses above is the count."""
    settings.AXES_ENABLED = False
    assert fail(PAIR.failures + 1) == [200] * (PAIR.failures + 1)
    assert sign_in().status_code == 302


def test_each_further_failure_doubles_the_wait_up_to_an_hour():
    fail(PAIR.failures)
    waits = []
    for _ in range(8):
        waits.append(round(int(sign_in()["Retry-After"]) / 60))
        later(minutes=waits[-1])
        fail(1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_attempts_while_waiting_do_not_make_the_wait_longer():
    fail(PAIR.failures + 20)
    later(minutes=1)
    assert sign_in().status_code == 302


def test_a_success_forgets_the_failures_before_it():
    for _ in range(3):
        fail(PAIR.failures - 1)
        assert sign_in().status_code == 302
    assert not AccessAttempt.objects.exists()


def test_an_account_that_does_not_exist_is_answered_in_the_same_words():
    answers = {}
    for name in ("ada", "nobody"):
        pages = [sign_in(name, WRONG) for _ in range(PAIR.failures + 1)]
        answers[name] = [(page.status_code, text_of(page)) for page in pages]
    assert answers["ada"] == answers["nobody"]
    assert answers["ada"][-1][0] == 429


def test_others_come_in_meanwhile():
    get_user_model()._default_manager.create_user("grace", password=RIGHT, is_staff=True)
    fail(PAIR.failures)
    assert sign_in().status_code == 429
    assert sign_in("grace").status_code == 302, "another account from the same address"
    assert sign_in(address=THERE).status_code == 302, "the same account from another address"


def guess_from_everywhere(count):
    """Fail once from each of many addresses, as a botnet does."""
    told = [sign_in(password=WRONG, address=f"203.0.113.{number}").status_code for number in range(count)]
    assert told == [200] * count


def test_a_botnet_must_wait_and_cannot_lock_out_whom_it_guesses_at():
    sign_in(address=HERE)
    guess_from_everywhere(ACCOUNT.failures)
    assert sign_in(address=THERE).status_code == 429, "an address that this account never signed in from"
    assert sign_in(address=HERE).status_code == 302, "the owner's own"
    later(minutes=15)
    assert sign_in(address=THERE).status_code == 302


def test_one_address_cannot_try_a_password_on_all_accounts():
    get_user_model()._default_manager.create_user("grace", password=RIGHT, is_staff=True)
    sign_in("grace")
    for number in range(ADDRESS.failures):
        fail(1, username=f"name{number}")
    assert sign_in("ada").status_code == 429
    assert sign_in("grace").status_code == 302, "who has signed in here before is not kept out by others"
    assert sign_in("ada", address=THERE).status_code == 302


def test_the_administrator_unlocks_an_account():
    fail(PAIR.failures)
    listed = StringIO()
    call_command("axes_list_attempts", stdout=listed)
    assert listed.getvalue().split() == [HERE, "ada", str(PAIR.failures)]
    call_command("axes_reset_username", "ada", stdout=StringIO())
    assert sign_in().status_code == 302


def test_no_password_is_kept_or_logged(caplog):
    fail(PAIR.failures + 1)
    kept = AccessAttempt.objects.get()
    assert WRONG not in f"{kept.post_data}{kept.get_data}{caplog.text}" and HERE in caplog.text
    sign_in(address=THERE)
    assert AccessLog.objects.get().ip_address == THERE


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "6.6.6.6", "192.0.2.1"),
        (1, "127.0.0.1", "192.0.2.1", "192.0.2.1"),
        (1, "127.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (2, "127.0.0.1", "6.6.6.6, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (2, "127.0.0.1", "192.0.2.1", None),
        (1, "127.0.0.1", "", None),
        (1, "127.0.0.1", "drop table", None),
        (1, "", "192.0.2.1:443", "192.0.2.1"),
        (0, "", "", None),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (1, "", "[2001:db8:1:2::9]:443", "2001:db8:1:2::"),
        (0, "fe80::1%eth0", "", "fe80::"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_the_address_is_the_one_that_the_nearest_own_proxy_saw(settings, proxies, peer, forwarded, expected):
    settings.PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected


def test_a_header_of_the_client_does_not_make_it_another(settings):
    settings.PROXY_COUNT = 1
    for number in range(PAIR.failures):
        sign_in(password=WRONG, HTTP_X_FORWARDED_FOR=f"6.6.6.{number}, 192.0.2.1")
    assert sign_in(HTTP_X_FORWARDED_FOR="7.7.7.7, 192.0.2.1").status_code == 429
    assert sign_in(HTTP_X_FORWARDED_FOR="7.7.7.7, 198.51.100.7").status_code == 302


@pytest.mark.parametrize("peer", ["", "@"])
def test_an_address_that_is_not_known_is_no_error(peer):
    assert fail(PAIR.failures + 1, address=peer)[-1] == 429


def test_failures_from_addresses_that_are_not_known_do_not_add_up_to_one_address():
    """Behind a socket no address is known: sixty typing errors of sixty people would keep everybody out."""
    for number in range(ADDRESS.failures):
        fail(1, username=f"name{number}", address="")
    assert sign_in("ada", address="").status_code == 302


def test_what_is_typed_as_a_name_is_not_logged(caplog):
    """People type their password there."""
    fail(PAIR.failures + 1, username="my-secret-typed-too-early")
    assert HERE in caplog.text and "my-secret-typed-too-early" not in caplog.text


@pytest.mark.parametrize("limit", [PAIR, ACCOUNT, ADDRESS])
def test_the_longest_wait_is_no_longer_for_more_failures_than_a_clock_can_double(limit):
    assert limit.wait(limit.failures + 10_000) == limit.longest
