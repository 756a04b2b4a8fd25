"""Where a configuration comes from, what wins, and what is said of a wrong one."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import load_settings
from taxietl.errors import ConfigError, UnknownNameError
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.lake.folder_profile import FolderProfile
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.postgres.profile import PostgresProfile

Write = Callable[[str], Path]
PLANTED = "hunter2-planted"


def source_file(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[ingest]\nsource = "{source}"\n', encoding="utf-8")
    return path


def refusal(write: Write, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write(text))
    return caught.value


def test_no_configuration_is_needed(bare: Path, tmp_path: Path) -> None:
    found = load_settings()

    assert found.config_file is None
    assert found.home == tmp_path / "user" / "data" / "taxietl"
    assert (found.cache_dir, found.rejects_dir) == (found.home / "cache", found.home / "rejects")
    assert found.ingest.model_dump() == {
        "source": "tlc",
        "to": "warehouse",
        "max_rejects": 0,
        "max_shrink": 0.05,
        "transforms": None,
    }
    warehouse = found.profile("warehouse", DuckDBProfile)
    assert warehouse.path == found.home / "taxi.duckdb"
    assert (warehouse.name, warehouse.origin) == ("warehouse", "built in")
    assert found.warnings == ()
    assert not found.home.exists()


def test_each_level_wins_over_those_below(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [load_settings().ingest.source]
    source_file(tmp_path / "user" / "config" / "taxietl" / "taxietl.toml", "users")
    seen.append(load_settings().ingest.source)
    source_file(bare / "taxietl.toml", "here")
    seen.append(load_settings().ingest.source)
    monkeypatch.setenv("TAXIETL_CONFIG", str(source_file(tmp_path / "variable.toml", "variable")))
    seen.append(load_settings().ingest.source)
    named = source_file(tmp_path / "named.toml", "named")
    seen.append(load_settings(config=named).ingest.source)
    monkeypatch.setenv("TAXIETL_INGEST__SOURCE", "environment")
    seen.append(load_settings(config=named).ingest.source)

    assert seen == ["tlc", "users", "here", "variable", "named", "environment"]
    assert load_settings(config=named).config_file == named


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ("short:miles=2  drop-zero-passengers", ("short:miles=2", "drop-zero-passengers")),
        ("none", ()),
    ],
)
def test_rules_in_a_variable_stand_apart_by_blanks(
    bare: Path, monkeypatch: pytest.MonkeyPatch, given: str, rules: tuple[str, ...]
) -> None:
    file = source_file(bare / "taxietl.toml", "here")
    file.write_text('[ingest]\ntransforms = ["other"]\n', encoding="utf-8")
    assert load_settings().ingest.transforms == ("other",)

    monkeypatch.setenv("TAXIETL_INGEST__TRANSFORMS", given)

    assert load_settings().ingest.transforms == rules


def test_a_relative_config_is_made_absolute(bare: Path) -> None:
    source_file(bare / "mine.toml", "mine")

    assert load_settings(config=Path("mine.toml")).config_file == bare / "mine.toml"


@pytest.mark.parametrize("by", ["--config", "TAXIETL_CONFIG"])
def test_a_named_file_that_is_not_there_is_refused(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.toml"
    if by == "TAXIETL_CONFIG":
        monkeypatch.setenv(by, str(missing))

    with pytest.raises(ConfigError, match=by) as caught:
        load_settings(config=missing if by == "--config" else None)

    assert str(missing) in str(caught.value)


def test_an_empty_variable_names_no_file_and_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_CONFIG", "")
    monkeypatch.setenv("TAXIETL_HOME", "")

    found = load_settings()

    assert (found.config_file, found.home) == (None, tmp_path / "user" / "data" / "taxietl")


def test_home_comes_from_the_option_then_the_variable(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_HOME", "~/kept")

    assert load_settings().home == tmp_path / "user" / "kept"
    chosen = load_settings(home=Path("chosen"))
    assert chosen.home == bare / "chosen"
    assert chosen.profile("warehouse", DuckDBProfile).path == bare / "chosen" / "taxi.duckdb"


def test_the_environment_wins_key_by_key(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write('[profiles.warehouse]\ntype = "postgres"\nhost = "db"\nport = 5433\n')
    monkeypatch.setenv("TAXIETL_PROFILES__WAREHOUSE__PORT", "5434")

    found = load_settings(config=file).profile("warehouse", PostgresProfile)

    assert (found.host, found.port) == ("db", 5434)
    assert found.origin == f"{file}, and the environment"


def test_the_environment_alone_can_make_profiles(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_PROFILES__WAREHOUSE__PATH", "other.duckdb")
    monkeypatch.setenv("TAXIETL_PROFILES__LAKE__TYPE", "folder")
    monkeypatch.setenv("TAXIETL_PROFILES__LAKE__PATH", "/lake")

    found = load_settings()

    assert found.profile("warehouse", DuckDBProfile).path == bare / "other.duckdb"
    assert found.profile("lake", FolderProfile).path == Path("/lake")
    assert found.profile("lake").origin == "the environment"


def test_names_of_profiles_keep_their_case_and_variables_still_reach_them(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write('[profiles.My-Lake]\ntype = "gcs"\nbucket = "file"\n')
    monkeypatch.setenv("TAXIETL_PROFILES__MY_LAKE__BUCKET", "environment")

    found = load_settings(config=file)

    assert sorted(found.profiles) == ["My-Lake", "warehouse"]
    assert found.profile("My-Lake", GcsProfile).bucket_name == "environment"
    with pytest.raises(UnknownNameError):
        found.profile("my-lake")


def test_a_variable_that_could_mean_two_profiles_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write('[profiles.Lake]\ntype = "gcs"\nbucket = "a"\n[profiles.lake]\ntype="duckdb"\n')
    assert load_settings(config=file).profile("Lake").type == "gcs"
    monkeypatch.setenv("TAXIETL_PROFILES__LAKE__BUCKET", "b")

    with pytest.raises(ConfigError, match="could mean the profiles 'Lake' and 'lake'"):
        load_settings(config=file)


@pytest.mark.parametrize("password", ["12345", "true", "null", "1e5", '{"a": 1}', "[1]", '"q"', ""])
def test_a_password_from_the_environment_stays_the_text_it_is(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_PROFILES__WAREHOUSE__TYPE", "postgres")
    monkeypatch.setenv("TAXIETL_PROFILES__WAREHOUSE__PASSWORD", password)

    found = load_settings().profile("warehouse", PostgresProfile)

    assert found.libpq_parameters()["password"] == password


def test_a_reference_in_the_environment_replaces_the_files(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write('[profiles.warehouse]\ntype = "postgres"\npassword = { file = "pw" }\n')
    monkeypatch.setenv("TAXIETL_PROFILES__WAREHOUSE__PASSWORD__ENV", "Mixed_Case_pw")
    monkeypatch.setenv("Mixed_Case_pw", PLANTED)

    found = load_settings(config=file).profile("warehouse", PostgresProfile)

    assert found.describe()["password"] == "env:Mixed_Case_pw"
    assert found.libpq_parameters()["password"] == PLANTED


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TAXIETL_INGST__TO", "x", "TAXIETL_INGST__TO: unknown section. Did you mean 'ingest'?"),
        ("TAXIETL_INGEST__TOO", "x", "TAXIETL_INGEST__TOO: unknown key. Did you mean 'to'?"),
        (
            "TAXIETL_INGEST__MAX_REJECTS",
            PLANTED,
            "TAXIETL_INGEST__MAX_REJECTS: must be a whole number",
        ),
        (
            "TAXIETL_PROFILES__WAREHOUSE",
            PLANTED,
            "TAXIETL_PROFILES__WAREHOUSE: must go on to a single value: "
            "TAXIETL_PROFILES__WAREHOUSE__KEY",
        ),
        (
            "TAXIETL_PROFILES",
            '{"a": 1}',
            "TAXIETL_PROFILES: must go on to a single value: TAXIETL_PROFILES__NAME__KEY",
        ),
        (
            "TAXIETL_INGEST",
            "1",
            "TAXIETL_INGEST: must go on to a single value: TAXIETL_INGEST__KEY",
        ),
    ],
)
def test_a_wrong_variable_is_named(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as caught:
        load_settings()

    assert str(caught.value) == said


def test_variables_of_other_uses_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXIETL_TLC_DATA", "/data")

    assert load_settings().ingest.source == "tlc"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ingset]\n", "ingset: unknown section. Did you mean 'ingest'?"),
        (
            "[other]\n",
            "other: unknown section. Known: alerts, cache, history, ingest, limits, profiles, "
            "sources, variables.",
        ),
        ("ingest = 1\n", "ingest: must be a table: [ingest]"),
        ("[profiles]\nlake = 1\n", "profiles.lake: must be a table: [profiles.lake]"),
        ("[ingest]\nmax_reject = 1\n", "ingest.max_reject: unknown key. Did you mean"),
        ("[ingest]\nmax_rejects = -1\n", "ingest.max_rejects: must be at least 0"),
        ("[ingest]\nmax_rejects = true\n", "ingest.max_rejects: must be a number"),
        ("[ingest]\nmax_shrink = 5\n", "ingest.max_shrink: must be at most 1"),
        ("[ingest]\nmax_shrink = nan\n", "ingest.max_shrink: must be at least 0"),
        ("[ingest]\nto = 1\n", "ingest.to: must be text in quotes"),
        ('[ingest]\nto = ""\n', "ingest.to: must not be empty"),
        ('[profiles.warehouse]\npath = "x"\n', "profiles.warehouse.type: is missing; it is one of"),
        ('[profiles.w]\ntype = "postgress"\n', "Did you mean 'postgres'?"),
        ("[profiles.w]\ntype = 1\n", "profiles.w.type: must be one of bigquery, duckdb"),
        ('[profiles."a b"]\ntype = "duckdb"\n', "letters, digits, - and _ only"),
    ],
)
def test_a_wrong_file_is_told_with_its_path_and_the_place_in_it(
    write: Write, text: str, said: str
) -> None:
    error = refusal(write, text)

    assert said in str(error)
    assert "named.toml: " in str(error)
    assert "\n" not in str(error)


def test_every_problem_has_its_line(write: Write) -> None:
    error = refusal(
        write,
        '[ingest]\nmax_rejects = "many"\n'
        '[profiles.warehouse]\ntype = "postgres"\nport = "five"\npasword = "x"\n'
        '[profiles.lake]\ntype = "gcs"\n',
    )

    first, *lines = str(error).splitlines()
    assert first == "The configuration has 4 problems:"
    assert [line.split(".toml: ")[1] for line in lines] == [
        "ingest.max_rejects: must be a whole number",
        "profiles.warehouse.port: must be a whole number",
        "profiles.warehouse.pasword: unknown key. Did you mean 'password'?",
        "profiles.lake.bucket: is missing",
    ]


def test_toml_in_another_encoding_is_told_as_that(write: Write) -> None:
    path = write("")
    path.write_bytes("[ingest]\nto = 'Köln'\n".encode("latin-1"))

    with pytest.raises(ConfigError) as caught:
        load_settings(config=path)

    assert "it is not UTF-8 text" in caught.value.message
    assert caught.value.hint == "Save it as UTF-8."


def test_broken_toml_is_told_with_its_line(write: Write) -> None:
    error = refusal(write, f'[ingest]\nto = "x"\npassword = {PLANTED}\n')

    assert "named.toml: not valid TOML" in str(error)
    assert "line 3" in str(error)
    assert PLANTED not in str(error)


def test_a_file_that_is_not_utf_8_is_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    file = tmp_path / "windows.toml"
    file.write_bytes(b"\xef\xbb\xbf[ingest]\nto = 'x'\n")
    assert load_settings(config=file).ingest.to == "x"

    file.write_bytes(b"[ingest]\nto = '\xe9'\n")
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        load_settings(config=file)


@pytest.mark.parametrize(
    "text",
    [
        f'[profiles.warehouse]\ntype = "postgres"\npasword = "{PLANTED}"\n',
        f'[profiles.warehouse]\ntype = "postgres"\npassword = "{PLANTED}"\nport = "x"\n',
        f'[profiles.warehouse]\ntype = "postgres"\nport = "{PLANTED}"\n',
        f'[profiles.warehouse]\ntype = "postgres"\nsslmode = "{PLANTED}"\n',
        f'[profiles.warehouse]\ntype = "postgres"\npassword = ["{PLANTED}"]\n',
        f'[profiles.warehouse]\ntype = "postgres"\npassword = {{ evn = "{PLANTED}" }}\n',
        f'[profiles.warehouse]\ntype = "postgres"\nurl = "{PLANTED}"\n',
        f'[profiles.warehouse]\ntype = "{PLANTED}"\n',
        f'[profiles.lake]\ntype = "gcs"\nbucket = "b"\ncredentials = "{PLANTED}"\n',
        f'[profiles.gcp]\ntype = "gcp-credentials"\nanonymous = true\n'
        f'service_account_info = "{PLANTED}"\n',
        f'[profiles.gcp]\ntype = "gcp-credentials"\nanonymous = "{PLANTED}"\n',
        f'[ingest]\nto = "{PLANTED}',
        f'warehouse = "{PLANTED}"\n',
    ],
)
def test_no_error_repeats_what_was_written(write: Write, text: str) -> None:
    error = refusal(write, text)

    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    told = "".join(shown.format()) + repr(error) + error.hint
    # The test's own frames hold the text that was planted.
    frames = [frame for frame in shown.stack if frame.filename != __file__]
    assert frames
    assert PLANTED not in str(error) + repr(error) + error.hint
    assert all(PLANTED not in str(frame.locals) for frame in frames)
    assert error.__context__ is None
    assert "load_settings" in told


def test_a_secret_is_in_nothing_that_is_printed(write: Write) -> None:
    found = load_settings(
        config=write(
            f'[profiles.warehouse]\ntype = "postgres"\nurl = "postgresql://u:{PLANTED}@h/db"\n'
            f'[profiles.other]\ntype = "postgres"\npassword = "{PLANTED}"\n'
            f'[profiles.gcp]\ntype = "gcp-credentials"\nservice_account_info = "{PLANTED}"\n'
        )
    )

    printed = [str(found), repr(found), str(found.warnings)]
    for name, each in found.profiles.items():
        printed += [str(each), repr(each), str(each.describe()), each.snippet(name)]
        printed += [str(each.model_dump()), each.model_dump_json()]
    assert PLANTED not in "".join(printed)
    assert found.profile("other").describe()["password"] == "**********"


def test_a_literal_secret_is_warned_of_and_an_exposed_file_more_so(write: Write) -> None:
    file = write(
        '[profiles.warehouse]\ntype = "postgres"\npassword = "x"\n'
        '[profiles.open]\ntype = "postgres"\nurl = "postgresql://localhost/db"\n'
        '[profiles.closed]\ntype = "postgres"\nurl = "postgresql://u:p@localhost/db"\n'
        '[profiles.referring]\ntype = "postgres"\npassword = { env = "PW" }\n'
    )

    kept = load_settings(config=file).warnings
    file.chmod(0o640)
    exposed = load_settings(config=file).warnings

    assert [line.split(" is a secret")[0] for line in kept] == [
        f"{file}: profiles.warehouse.password",
        f"{file}: profiles.closed.url",
    ]
    assert "chmod" not in "".join(kept)
    assert all(f"chmod 600 {file}" in line for line in exposed)


def test_a_literal_in_the_environment_is_no_cause_for_a_warning(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write('[profiles.warehouse]\ntype = "postgres"\npassword = { env = "PW" }\n')
    monkeypatch.setenv("TAXIETL_PROFILES__WAREHOUSE__PASSWORD", PLANTED)

    assert load_settings(config=file).warnings == ()


LOADED = """
import sys, taxietl.config
print(sorted({'pydantic', 'platformdirs'} & set(sys.modules)))
taxietl.config.load_settings()
heavy = {'pydantic_settings', 'duckdb', 'sqlalchemy', 'psycopg2', 'google.cloud.storage', 'pandas'}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize(("variable", "loaded"), [(None, []), ("to", ["pydantic_settings"])])
def test_loading_imports_no_more_than_it_needs(
    variable: str | None, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv("TAXIETL_INGEST__TO", variable)

    out = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)

    assert out.stdout.splitlines() == ["[]", str(loaded)]


def test_limits_come_from_the_file_and_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_LIMITS__MY_TAG", "3")
    monkeypatch.setenv("TAXIETL_LIMITS__TLC", "0")

    found = load_settings(config=write("[limits]\nmy-tag = 1\nWarehouse = 2\n"))

    assert dict(found.limits) == {"my-tag": 3, "Warehouse": 2, "tlc": 0}


def test_without_a_configuration_no_tag_is_limited() -> None:
    assert dict(load_settings().limits) == {}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("-1", "must be at least 0"),
        ("true", "must be a number"),
        ("2.5", "must be a whole number"),
        ("'many'", "must be a whole number"),
    ],
)
def test_a_wrong_limit_is_told_with_its_tag(write: Write, value: str, said: str) -> None:
    error = refusal(write, f"[limits]\ntlc = {value}\n")

    assert f"limits.tlc: {said}" in str(error)


def test_a_variable_that_could_mean_two_tags_is_a_problem(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_LIMITS__MY_TAG", "3")

    error = refusal(write, "[limits]\nmy-tag = 1\nmy_tag = 1\n")

    assert "TAXIETL_LIMITS__MY_TAG: could mean the limits 'my-tag' and 'my_tag'" in str(error)


def test_a_variable_for_limits_without_a_tag_is_a_problem(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_LIMITS", "3")

    assert "TAXIETL_LIMITS: must go on to a single value" in str(refusal(write, ""))
