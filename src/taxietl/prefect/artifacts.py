"""`prefect.artifacts`: shown with the run by `taxietl runs show`."""

from __future__ import annotations

from taxietl.orchestrator import attach_image, attach_link, attach_markdown, attach_table


def create_markdown_artifact(
    markdown: str, key: str | None = None, description: str | None = None
) -> None:
    """Attach a text to the current run."""
    attach_markdown(markdown, name=key or "", description=description or "")


def create_table_artifact(
    table: object, key: str | None = None, description: str | None = None
) -> None:
    """Attach a table to the current run."""
    attach_table(table, name=key or "", description=description or "")


def create_link_artifact(
    link: str, link_text: str | None = None, key: str | None = None, description: str | None = None
) -> None:
    """Attach a link to the current run."""
    attach_link(link, text=link_text or "", name=key or "", description=description or "")


def create_image_artifact(
    image_url: str, key: str | None = None, description: str | None = None
) -> None:
    """Attach the address of a picture to the current run."""
    attach_image(image_url, name=key or "", description=description or "")
