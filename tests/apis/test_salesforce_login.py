"""Salesforce: every way to log in, what is told when one fails, and the day's quota."""

from __future__ import annotations

import pytest
from salesforce_account import org, tapped

from antiphon.errors import Forbidden, QuotaSpent, SettingError, Unauthorized


def logins(app):
    """How often the token endpoint was asked."""
    return app.count("oauth2/token")


def used_up(connection):
    """Read until something is against it."""
    for _ in range(100):
        list(connection.read("User"))


@pytest.mark.parametrize("login", ["refresh_token", "jwt", "client_credentials", "session"])
def test_every_login_reads(tmp_path, login):
    with org(tmp_path, records=3, login=login) as there:
        connection = there.connect()
        connection.check()
        assert [row["Id"] for row in connection.read("Account")] == there.ids()


@pytest.mark.parametrize("login", ["refresh_token", "jwt"])
def test_data_is_asked_for_at_the_instance_that_the_login_names(tmp_path, login):
    with org(tmp_path, records=3, login=login, my_domain=False) as there:
        assert "localhost" in there.settings["login_url"]
        assert "instance_url" not in there.settings
        assert len(list(there.connect().read("Account"))) == 3


def test_a_rotated_refresh_token_is_kept_for_the_next_process(tmp_path):
    with org(tmp_path, records=3, rotate=True) as there:
        for _ in range(3):
            there.connect().check()
            there.app.expire_token()
        there.connect().check()
        assert logins(there.app) == 4


@pytest.mark.parametrize("login", ["refresh_token", "jwt", "client_credentials"])
def test_an_expired_session_is_renewed_once(tmp_path, login):
    with org(tmp_path, records=3, login=login) as there:
        connection = there.connect()
        connection.check()
        there.app.expire_token()
        connection.check()
        connection.check()
        assert logins(there.app) == 2


def test_an_expired_session_that_was_given_is_told_in_one_line(tmp_path):
    with org(tmp_path, login="session") as there:
        connection = there.connect()
        there.app.expire_token()
        with pytest.raises(Unauthorized) as told:
            connection.check()
        assert str(told.value).startswith("salesforce: checking the connection -> 401 INVALID_SESSION_ID")
        assert str(told.value).endswith("Check the setting access_token: it is not accepted.")


def test_a_session_without_its_instance_says_which_setting_is_missing(tmp_path):
    with org(tmp_path, login="session") as there, pytest.raises(SettingError, match="instance_url"):
        there.connect(instance_url=None).check()


def test_a_revoked_refresh_token_says_which_command_renews_it(tmp_path):
    with org(tmp_path) as there:
        there.connect().check()
        there.app.sessions.revoke_all()
        with pytest.raises(Unauthorized) as told:
            there.connect().check()
        assert "invalid_grant" in str(told.value)
        assert "antiphon login salesforce" in str(told.value)
        assert there.settings["refresh_token"] not in str(told.value)
        ran = there.tap()
        assert ran.code == 1
        assert "antiphon login salesforce" in ran.last
        assert "Traceback" not in ran.err


def test_tls_with_a_private_authority_works_with_ca_bundle_and_says_so_without(tmp_path, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    with org(tmp_path, records=3, tls=True) as there:
        assert there.settings["login_url"].startswith("https://")
        assert len(list(there.connect().read("Account"))) == 3
        with pytest.raises(SettingError) as told:
            there.connect(ca_bundle=None, state_dir=str(tmp_path / "other")).check()
        assert "certificate is not trusted" in str(told.value)
        assert "set ca_bundle" in str(told.value)
        assert "\n" not in str(told.value)


def test_a_run_stops_before_the_last_tenth_of_the_day(tmp_path):
    with org(tmp_path, records=3, daily_limit=100, daily_used=80) as there:
        connection = there.connect()
        with pytest.raises(QuotaSpent) as told:
            used_up(connection)
        assert there.app.settings.daily_used == 90
        assert "10 of 100 calls are left of the quota. The last 10% are kept for others (quota_reserve)" in str(
            told.value
        )


def test_the_reserve_is_the_users_to_set(tmp_path):
    with org(tmp_path, records=3, daily_limit=100, daily_used=80) as there:
        connection = there.connect(quota_reserve=0)
        with pytest.raises(QuotaSpent):
            used_up(connection)
        assert there.app.settings.daily_used == 100


def test_a_target_that_stops_for_the_quota_goes_on_the_next_day(tmp_path):
    with org(tmp_path, daily_limit=1000, daily_used=892) as there:
        ran = there.target(tapped(3000), batch_size_rows=200, bulk_above=0)
        assert ran.code == 1
        assert "calls are left of the quota" in ran.last
        assert "Traceback" not in ran.err
        assert 0 < there.app.size("Account") < 3000
        there.app.settings.daily_used = 0
        assert there.target(tapped(3000), batch_size_rows=200, bulk_above=0).code == 0
        assert there.externals().total() == len(there.externals()) == 3000


def test_the_days_limit_and_too_many_at_once_are_told_apart(tmp_path):
    with org(tmp_path, records=3) as there:
        connection = there.connect(quota_reserve=0)
        connection.check()
        there.app.fail_next(2, "429")
        connection.check()
        there.app.settings.daily_used = there.app.settings.daily_limit
        there.app.reset_calls()
        with pytest.raises(QuotaSpent, match=r"TotalRequests Limit exceeded. The quota is used up"):
            there.connect(quota_reserve=0).check()
        assert there.app.count("limits") == 1


def test_an_api_that_is_disabled_is_told_in_one_line(tmp_path):
    with org(tmp_path, api_disabled=True) as there, pytest.raises(Forbidden) as told:
        there.connect().check()
    assert "403 API_DISABLED_FOR_ORG The REST API is not enabled" in str(told.value)
    assert "API Enabled" in str(told.value)
