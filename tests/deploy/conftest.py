from __future__ import annotations

from pathlib import Path

import pytest
from dockerfile import Image, build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image of deploy/Dockerfile, made in an empty folder."""
    return build(ROOT / "deploy" / "Dockerfile", ROOT, tmp_path_factory.mktemp("image"))
