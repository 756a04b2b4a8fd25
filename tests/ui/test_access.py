"""The token lies in a file of its owner's alone, and everything else is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxietl.errors import ConfigError
from taxietl.ui.access import Access, token_of


def test_the_token_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"

    token = token_of(home)

    assert token_of(home) == token
    assert len(token) == 43
    assert (home / "ui.token").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in home.iterdir()] == ["ui.token"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666], ids=oct)
def test_a_token_that_others_could_read_is_made_anew(tmp_path: Path, mode: int) -> None:
    token = token_of(tmp_path)
    (tmp_path / "ui.token").chmod(mode)

    assert token_of(tmp_path) != token
    assert (tmp_path / "ui.token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_is_cut_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "ui.token").write_text("short")
    (tmp_path / "ui.token").chmod(0o600)

    assert len(token_of(tmp_path)) == 43


def test_a_link_in_the_place_of_the_token_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("a" * 43)
    (tmp_path / "elsewhere").chmod(0o600)
    (tmp_path / "ui.token").symlink_to("elsewhere")

    with pytest.raises(ConfigError, match=r"ui\.token cannot be kept"):
        token_of(tmp_path)


def test_cookie_and_form_hold_neither_the_token_nor_one_another() -> None:
    access, other = Access("a" * 43, 4280), Access("b" * 43, 4280)

    made = {access.session, access.form, other.session, other.form}

    assert len(made) == 4
    assert "a" * 43 not in made
    assert not access.is_session(access.form)
    assert not access.is_form(access.session)
    assert not access.is_token("")


def test_nothing_that_is_printed_of_it_holds_the_token() -> None:
    access = Access("a" * 43, 4280)

    assert "aaa" not in f"{access!r} {access}"


def test_without_a_token_forms_still_need_what_no_other_site_can_read() -> None:
    access = Access(None, 4280)

    assert access.is_session("")
    assert access.is_form(access.form)
    assert not access.is_form("")
    assert not access.is_token("")
