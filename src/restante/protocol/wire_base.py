"""The fields that wire types of every domain share. One pattern each; ``wire`` and ``wire_*`` build on them."""

from typing import Annotated, Literal

from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{3,32}$")]
B64 = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]*$")]
# The lengths shut out a line feed at the end, which `$` lets pass.
MessageId = Annotated[str, Meta(pattern=r"^msg_[a-z2-7]{25}[aeimquy4]$", max_length=30)]
UploadId = Annotated[str, Meta(pattern=r"^upl_[a-z2-7]{25}[aeimquy4]$", max_length=30)]
Instant = Annotated[int, Meta(ge=0, le=2**53 - 1)]
LinkId = Annotated[str, Meta(pattern=r"^lnk_[a-z2-7]{25}[aeimquy4]$", max_length=30)]

MessageKind = Literal["video", "text", "reaction"]
