"""The file of settings: flat TOML, read strictly, and said in plain words where it is wrong. It knows no setting by name."""

import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import inspect


class BadFile(ValueError):
    """The file cannot be read as settings; the text says where and why."""


def read(path: Path, known: Collection[str], secret: Collection[str]) -> dict[str, Any]:
    """Reads the settings in a file; what stands in a file of its own (``smtp_url_file``) is fetched. Raises BadFile."""
    try:
        values = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise BadFile(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{path} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise BadFile(f"{path} is no TOML: {error}") from error
    files = {f"{name}_file": name for name in secret}
    for key, value in values.items():
        if isinstance(value, dict):
            raise BadFile(f"{path}: [{key}] is a table; settings stand without one")
        if key not in known and key not in files:
            near = get_close_matches(key, [*known, *files], n=1, cutoff=0.7)
            raise BadFile(f"{path}: {key} is not a setting{f', do you mean {near[0]}?' if near else ''}")
    for key, name in files.items():
        if key in values:
            if name in values:
                raise BadFile(f"{path}: {name} and {key} are both there: one of them must go")
            values[name] = secret_of(values.pop(key), f"{path}: {key}")
    return values


def secret_of(where: Any, label: str) -> str:
    """Reads a secret that has a file of its own, without the line's end. Raises BadFile."""
    if not isinstance(where, str):
        raise BadFile(f"{label} must be text in quotes: the path of a file")
    try:
        secret = Path(where).read_text("utf-8").strip()
    except OSError as error:
        raise BadFile(f"{label}: {where}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadFile(f"{label}: {where} is not UTF-8 text") from error
    if not secret or "\n" in secret:
        raise BadFile(f"{label}: {where} must have one line")
    return secret


def wanted(kind: Any) -> str:
    """Says what a setting must be, from the type that it has in the struct of settings."""
    node = inspect.type_info(kind)
    match node:
        case inspect.LiteralType(values=values):
            return f"one of {', '.join(map(str, values))}"
        case inspect.IntType() | inspect.FloatType():
            return _number(node)
        case inspect.StrType(pattern=pattern) if pattern:
            return "a rate such as 10/30s"
        case inspect.StrType(max_length=most):
            return f"text of at most {most} characters" if most else "text in quotes"
        case inspect.VarTupleType():
            return 'a list of texts, such as ["one", "two"]'
    return "text in quotes: a path"


def _number(node: inspect.IntType | inspect.FloatType) -> str:
    kind = "a whole number" if isinstance(node, inspect.IntType) else "a number"
    if node.ge is not None and node.le is not None:
        return f"{kind} from {node.ge} to {node.le}"
    if node.gt is not None:
        return f"{kind} above {node.gt:g}"
    return kind if node.ge is None else f"{kind} of at least {node.ge}"
