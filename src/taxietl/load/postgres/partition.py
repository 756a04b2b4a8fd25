"""One month's partition: made aside, filled, indexed, and put in the place of the one before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from taxietl.errors import NotOursError
from taxietl.load.ownership import MARKER, comment_of
from taxietl.load.postgres.connection import Session
from taxietl.load.postgres.rules import make_rules
from taxietl.load.postgres.tables import MONTH, NAME_BYTES, Definition, columns_of
from taxietl.load.sql import quoted
from taxietl.load.table_names import PARTS
from taxietl.tlc.trip_file import TripFile

# Values reach SQL as parameters; what stands in it is a name of ours, or is quoted.
# ruff: noqa: S608

_SETUP_LOCK = 0x7461_7869
_STALE = 0.5
"""A parent of several months is analysed when they have grown by this share of the rows it knew of.
PostgreSQL never does so by itself. It matters for joins only, scans go by the months' own numbers;
and before PostgreSQL 18 all the months are analysed with it, at each tenth it were 2 s a load."""

_EXACT_ROWS = 1 << 24
"""The catalog's number of rows is a float of 4 bytes: up to here it is exact."""

_ALIGNED = {"timestamp": 0, "double precision": 0, "bigint": 0, "integer": 1, "date": 1}

_RANGE_PAGES = 32
"""Some 1,800 rows of yellow. Trips lie in the order of their time but for stragglers, each of which
makes its range wider: with 128 pages, the default, twice as many are read, and it is as fast."""


@dataclass(frozen=True)
class Attached:
    """The partition that holds a month now."""

    name: str
    comment: str


class Partition:
    """A month's new partition; the caller has begun the transaction."""

    def __init__(self, session: Session, schema: str, table: str, trip_file: TripFile) -> None:
        self._session = session
        self._schema = schema
        self._table = table
        self._trip_file = trip_file
        self._date = f"DATE '{trip_file.source_month}'"
        self._parent = f"{quoted(schema)}.{quoted(table)}"
        self._plain = self._load_id = self._option = ""
        self.defaulted: tuple[str, ...] = ()
        """Columns of the user's that are not NULL where COPY leaves them out."""
        self.rows = 0
        """As the server counted them, once it is finished."""
        self._left: dict[str, Definition] = {}
        """Columns that it has yet to get."""
        self._identities: list[str] = []
        """Columns that get their numbers from the parent's identity once it is attached."""

    @property
    def name(self) -> str:
        """With its schema, quoted."""
        return f"{PARTS}.{quoted(self._plain)}"

    def make(
        self,
        load_id: str,
        wanted: Sequence[Definition],
        *,
        filled: Collection[str] | None = None,
        session: Session | None = None,
    ) -> None:
        """Make the table: the parent's columns, and those it has not yet.

        Args:
            load_id: part of its name.
            wanted: columns that it has to have, in the end.
            filled: those with values; others, which would take room in every row, are added by
                `widen` or in the end. None for all at once.
            session: one that makes it in a transaction of its own, for all to see and to fill.
        """
        tail = f"_{self._trip_file.year}_{self._trip_file.month:02d}_{load_id[:8]}"
        room = NAME_BYTES - len(tail)
        self._plain = self._table.encode()[:room].decode(errors="ignore") + tail
        self._load_id = load_id
        # Rows can be frozen only by the transaction that has made their table.
        self._option = "" if session else ", FREEZE"
        maker = session or self._session
        columns = columns_of(maker, self._schema, self._table)
        present = {each.name for each in columns}
        columns += [each for each in wanted if each.name not in present]
        columns = [each for each in columns if each.name != MONTH.name]
        if filled is not None and not any("GENERATED" in each.rest for each in columns):
            left = [each for each in columns if each.name not in filled and _may_be_added(each)]
            self._left = {each.name: each for each in left}
            columns = [each for each in columns if each.name not in self._left]
        self._identities = [quoted(each.name) for each in columns if each.is_identity]
        self.defaulted = tuple(each.name for each in columns if "DEFAULT" in each.rest)
        month = replace(MONTH, rest=f"{MONTH.rest} DEFAULT {self._date}")
        listed = ", ".join(each.sql for each in sorted([*columns, month], key=_alignment))
        # With the CHECK, attaching need not look at the rows.
        maker.run(
            f"CREATE TABLE {self.name} ({listed}, "
            f"CONSTRAINT taxietl_month CHECK (source_month = {self._date}))"
        )

    def copy(self, names: Iterable[str]) -> str:
        """A COPY that fills it; frozen if nobody can see it before it is whole."""
        listed = ", ".join(quoted(name) for name in names)
        return f"COPY {self.name} ({listed}) FROM STDIN (FORMAT binary{self._option})"

    def widen(self, names: Iterable[str]) -> None:
        """Have these columns, too; in the rows that are there they are NULL, at no cost."""
        added = [self._left.pop(name) for name in list(names) if name in self._left]
        if added:
            listed = ", ".join(f"ADD COLUMN {each.sql}" for each in added)
            self._session.run(f"ALTER TABLE {self.name} {listed}")

    def finish(self) -> None:
        """Say what it is; give it indexes, while attaching needs no lock yet, and statistics.

        Raises:
            TargetError: the month breaks a rule that users have put on the table.
        """
        self.widen(self._left)
        for column in self._identities:
            self._session.run(f"ALTER TABLE {self.name} ALTER {column} DROP DEFAULT")
        of = f"{self._schema}.{self._table}".replace("'", "''")
        role = f"{self._trip_file} of {of}, load {self._load_id}"
        self._session.run(f"COMMENT ON TABLE {self.name} IS '{comment_of(role)}'")
        started_at = quoted(self._trip_file.dataset.started_at)
        self._session.run(
            f"CREATE INDEX ON {self.name} USING brin ({started_at}) "
            f"WITH (pages_per_range = {_RANGE_PAGES})"
        )
        self.rows = self._counted()
        make_rules(self._session, self._schema, self._table, self.name, self._trip_file)
        # Autovacuum does it again within minutes of the commit, by the server's own target; until
        # then a tenth of the usual one will do, and takes 0.1 s less of a million rows. Who has
        # set it to something else has had a reason.
        self._session.run(
            "SELECT set_config('default_statistics_target', '10', true) "
            "WHERE current_setting('default_statistics_target') = '100' "
            "AND current_setting('autovacuum')::boolean"
        )
        self._session.run(f"ANALYZE {self.name}")

    def _counted(self) -> int:
        """The table's rows, as the making of its first index has counted them."""
        ((rows,),) = self._session.run(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [self.name]
        )
        if 0 <= rows < _EXACT_ROWS:
            return int(rows)
        return int(self._session.run(f"SELECT count(*) FROM {self.name}")[0][0])

    def swap_in(self) -> None:
        """Drop the month's partition, if it has one, and attach this one.

        Raises:
            NotOursError: the partition is somebody else's.
        """
        before = self._before()
        mine = columns_of(self._session, PARTS, self._plain)
        parents = columns_of(self._session, self._schema, self._table)
        added = _missing(mine, parents)
        # Readers are kept out only where something goes away or the columns change.
        if before is not None or added:
            self._session.run(f"LOCK TABLE ONLY {self._parent} IN ACCESS EXCLUSIVE MODE")
        for each in added:
            self._session.run(f"ALTER TABLE {self._parent} ADD COLUMN {each.sql}")
        for each in _missing(parents, mine):
            self._session.run(f"ALTER TABLE {self.name} ADD COLUMN {each.sql}")
        if before is not None:
            self._session.run(f"DROP TABLE {before.name}")
        self._session.run(
            f"ALTER TABLE {self._parent} ATTACH PARTITION {self.name} FOR VALUES IN ({self._date})"
        )

    def drop_attached(self) -> None:
        """Drop the month's partition, if it has one.

        Raises:
            NotOursError: the partition is somebody else's.
        """
        before = self._before()
        if before is not None:
            self._session.run(f"LOCK TABLE ONLY {self._parent} IN ACCESS EXCLUSIVE MODE")
            self._session.run(f"DROP TABLE {before.name}")

    def _before(self) -> Attached | None:
        """The partition that holds the month now, which has to be ours."""
        before = partition_of(self._session, self._schema, self._table, self._trip_file)
        if before is not None and not before.comment.startswith(comment_of("")):
            raise NotOursError(
                f"{self._trip_file} lies in {before.name}, a partition that {MARKER} did not make.",
                hint="It is left alone. Detach it, or load into another table with --table NAME.",
            )
        return before

    def analyze_parent(self) -> None:
        """Have the parent's statistics anew, if the months in it have become many more."""
        ((months, rows, known),) = self._session.run(
            "SELECT count(*), coalesce(sum(greatest(c.reltuples, 0)), 0), "
            "coalesce(max(greatest(p.reltuples, 0)), 0) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent "
            "JOIN pg_namespace n ON n.oid = p.relnamespace "
            "WHERE c.relkind = 'r' AND n.nspname = %s AND p.relname = %s",
            [self._schema, self._table],
        )
        if months > 1 and rows > known * (1 + _STALE):
            only = "ONLY " if self._session.version >= 18 else ""
            self._session.run(f"ANALYZE {only}{self._parent}")


def _may_be_added(column: Definition) -> bool:
    """Whether a table with rows can get it without being written anew."""
    return "DEFAULT" not in column.rest and "NOT NULL" not in column.rest


def _alignment(column: Definition) -> int:
    """Wide columns go first: a row then has no gaps, which are a twelfth of a yellow month."""
    kind = column.kind.lower().removesuffix(" without time zone")
    return _ALIGNED.get(kind, len(_ALIGNED))


def make_schema(session: Session) -> None:
    """Have the schema of the partitions; the one thing that a load refused at first leaves behind.

    In a transaction of its own, or other loads would wait for this one's end.
    """
    if session.run("SELECT 1 FROM pg_namespace WHERE nspname = %s", [PARTS]):
        session.rollback()
        return
    session.begin()
    session.run("SELECT pg_advisory_xact_lock(%s)", [_SETUP_LOCK])
    session.run(f"CREATE SCHEMA IF NOT EXISTS {PARTS}")
    session.run(f"COMMENT ON SCHEMA {PARTS} IS '{comment_of('partitions of trip tables')}'")
    session.commit()


def partition_of(session: Session, schema: str, table: str, trip_file: TripFile) -> Attached | None:
    """The partition that holds just that month; None if there is none."""
    rows = session.run(
        "SELECT format('%%I.%%I', cn.nspname, c.relname), "
        "coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace "
        "JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace "
        "WHERE n.nspname = %s AND p.relname = %s "
        "AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES IN (%%L)', %s)",
        [schema, table, trip_file.source_month.isoformat()],
    )
    return Attached(*rows[0]) if rows else None


def _missing(there: Sequence[Definition], here: Sequence[Definition]) -> list[Definition]:
    """The columns of `there` that `here` has not."""
    names = {each.name for each in here}
    return [each for each in there if each.name not in names]
