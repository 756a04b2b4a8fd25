"""What every loader has to do, as tests: inherit them, and give them a loader.

    class TestMine(LoaderTests):
        @pytest.fixture
        def loader(self, tmp_path):
            return MyLoader(MyProfile(path=tmp_path / "trips.db"))

Each test gets a loader of a warehouse in which nothing was ever loaded.
"""

from __future__ import annotations

from taxietl.testing.asking import AskingTests
from taxietl.testing.loading import LoadingTests
from taxietl.testing.refusing import RefusingTests


class LoaderTests(LoadingTests, RefusingTests, AskingTests):
    """All of them; `loader` is a fixture."""
