"""The progress bar of a send, on stderr; nothing where nobody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from restante.client.outgoing import Progress as Step

_CONVERTING = 1000


@contextmanager
def showing_progress() -> Iterator[Callable[[Step], object]]:
    """Gives what a send reports to."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=console, transient=True) as bar:
        convert = bar.add_task("Converting", total=_CONVERTING)
        upload = bar.add_task("Uploading", total=None)

        def show(step: Step) -> None:
            bar.update(convert, completed=round(step.converted * _CONVERTING))
            bar.update(upload, completed=step.uploaded_bytes, total=step.total_bytes)

        yield show
