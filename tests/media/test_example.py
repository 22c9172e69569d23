"""The example in the room's documentation runs as it stands."""

import textwrap
from pathlib import Path

from restante import media
from tests.footage import assert_plays, talking_head


def test_documented_example_runs(tmp_path, shelf, monkeypatch):
    (tmp_path / "holiday.mov").write_bytes(talking_head(shelf).read_bytes())
    monkeypatch.chdir(tmp_path)
    example = textwrap.dedent(media.__doc__.split("\n\n", 2)[2])
    exec(example, {"Path": Path})
    assert_plays(tmp_path / "message.mp4", duration_s=4.0)
