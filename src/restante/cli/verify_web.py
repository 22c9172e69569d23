"""`restante verify-web`."""

from dataclasses import asdict
from pathlib import Path

from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import put_json, put_table, say
from restante.client.verify_web import (
    RELEASE_KEYS,
    Told,
    fetch_manifest,
    installed_manifest,
    manifest_in,
)
from restante.client.verify_web import verify_web as verify
from restante.client.web_errors import WebDiffers


def verify_web(
    url: str,
    *,
    manifest: Path | None = None,
    key: str | None = None,
    videos_from: str = "",
    common: Common = DEFAULT,
) -> None:
    """Compares the web app that a server hands out, to three different visitors, with what it must be.

    Args:
        url: address of the server.
        manifest: the manifest to compare with; without it that of this very package, or with --key the server's own.
        key: the release key that must have signed the manifest.
        videos_from: the bucket from which its pages read videos, as its operator says: scheme, host and path up to the last slash.
        common: options of every command.
    """
    keys = (key,) if key else RELEASE_KEYS
    told = _told(url, manifest, keys, is_key_given=key is not None)
    if told.signed_by is None:
        say(
            "warning: the manifest is not signed: it is of a build of your own, and worth as much as where you have it from."
        )
    found = verify(
        url,
        told.manifest,
        videos_from=videos_from,
        report=lambda visitor: say(f"Looking as {visitor.name} ..."),
    )
    if common.json:
        put_json([asdict(one) for one in found])
    elif found:
        put_table([["visitor", "path", "differs in", "found"], *([*asdict(one).values()] for one in found)])
    if found:
        raise WebDiffers(f"{len(found)} differences")
    say(f"All of {len(told.manifest.files)} files of version {told.manifest.version} are as they must be.")


def _told(url: str, manifest: Path | None, keys: tuple[str, ...], *, is_key_given: bool) -> Told:
    if manifest is not None:
        return manifest_in(manifest, keys)
    return fetch_manifest(url, keys) if is_key_given else installed_manifest(keys)
