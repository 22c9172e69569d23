"""`restante devices`."""

from restante.cli.options import DEFAULT, Common
from restante.cli.terminal import put_json, put_table, say
from restante.client.errors import printable
from restante.media import Kind, find_devices


def devices(*, common: Common = DEFAULT) -> None:
    """Lists cameras and microphones, as `record` takes them: by id, by name, or by a part of the name.

    Args:
        common: options of every command.
    """
    found = [device for kind in Kind for device in find_devices(kind)]
    if common.json:
        put_json([{"kind": each.kind.value, "id": each.id, "name": each.label} for each in found])
        return
    rows = [[each.kind.value, each.id, printable(each.label)] for each in found]
    put_table([["kind", "id", "name"], *rows] if rows else [])
    for kind in Kind:
        if not any(device.kind is kind for device in found):
            say(f"No {kind.value} was found.")
