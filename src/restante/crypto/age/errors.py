"""Why an age file or key is refused.

::

    AgeError            any refusal
    ├── BadKey          a text or bytes that are no key of the expected kind
    ├── HeaderError     the header is malformed, cut off, or not what the caller demands
    │   └── BadMac      it parses and opens, but was altered
    ├── NoMatch         no identity opens any stanza
    └── PayloadError    a chunk is not authentic, or something follows the final one
        └── Truncated   the file ends without an authentic final chunk
"""


class AgeError(ValueError):
    """An age file or key that is refused; the text never shows a secret."""


class BadKey(AgeError):
    """The text or bytes are no age key of the expected kind."""


class HeaderError(AgeError):
    """The header is malformed, cut off, or not what the caller demands."""


class BadMac(HeaderError):
    """The header's authentication code is wrong: somebody altered it."""


class NoMatch(AgeError):
    """None of the identities opens any stanza: the file is for somebody else."""


class PayloadError(AgeError):
    """A chunk is not authentic, or bytes follow the final one."""


class Truncated(PayloadError):
    """The file ends without an authentic final chunk.

    In a final chunk of less than 64 KiB damage cannot be told from a cut, so it is reported as this too.
    """
