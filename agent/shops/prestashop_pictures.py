"""Pictures outside of any shop: the value of the target ``images``, its link, kinds and sizes of files, uploads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.errors import ShopUnavailable, Unusable
from agent.events import Rejected, Value
from agent.shops import prestashop_xml as wire
from agent.shops.http import Answer

REFUSED = (
    "Replace the picture in POHODA's folder of documents: PrestaShop takes gif, jpg, png and webp, and not too large."
)
_SHA = re.compile("[0-9a-f]{64}")
_KINDS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG that begin a frame, and so tell its size (ITU-T T.81, table B.1)."""
_BOUNDARY = "----pohoda-agent-picture"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a value: sha256 of its bytes, its name in POHODA, its alternative text."""

    sha: str
    file: str
    alt: str


@dataclass(frozen=True, slots=True)
class ImagesLink:
    """Which pictures of a product are ours (sha → id) and which were there before us."""

    product: str
    """The product's own link."""
    ours: Mapping[str, int]
    foreign: tuple[int, ...]

    def __str__(self) -> str:
        mapped = {sha: str(one) for sha, one in sorted(self.ours.items())}
        return json.dumps(
            {"p": self.product, "i": mapped, "f": [str(one) for one in self.foreign]}, separators=(",", ":")
        )


def link_of(text: str | None) -> ImagesLink | None:
    """Read a link back; None when it is not one of ours."""
    try:
        read = json.loads(text or "")
        return ImagesLink(
            str(read["p"]),
            {sha: int(one) for sha, one in read["i"].items() if _SHA.fullmatch(sha)},
            tuple(int(one) for one in read["f"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def wanted(value: Value) -> list[Picture]:
    """Read a value, in its order; a picture that comes twice counts once. Raises `Unusable`."""
    found: dict[str, Picture] = {}
    for one in value if isinstance(value, list) else [None]:
        sha = one.get("sha") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(sha, str) or not _SHA.fullmatch(sha):
            raise Unusable("images", "not a list of pictures", hint="This is a fault of the agent: report it.")
        found.setdefault(sha, Picture(sha, str(one.get("file") or ""), str(one.get("alt") or "")))
    return list(found.values())


def kept(shas: Sequence[str], ours: Mapping[str, int], order: Sequence[int]) -> list[str]:
    """Which of the wanted pictures can stay where they are; all others must be uploaded, behind these.

    The first one can, wherever it is: it becomes the default. Of the rest those before the first one that is missing
    or out of order (``order``: ids by position).
    """
    place = {one: at for at, one in enumerate(order)}
    stay = [sha for sha in shas[:1] if sha in ours]
    last = -1
    for sha in shas[1:]:
        at = place.get(ours.get(sha, 0), -1)
        if at <= last:
            break
        stay.append(sha)
        last = at
    return stay


def kind_of(one: Picture, data: bytes) -> str:
    """The content type, from the bytes. Raises `Unusable` for what PrestaShop does not take."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise Unusable(f"images, {one.file or one.sha[:12]}", "the file is no gif, jpg, png or webp", hint=REFUSED)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height in pixels; (0, 0) where the file does not tell.

    From the specifications of the formats: PNG (IHDR), GIF (logical screen), WebP (VP8, VP8L, VP8X), JPEG (SOFn).
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data.startswith((b"GIF87a", b"GIF89a")):
        return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return _jpeg(data) if data.startswith(b"\xff\xd8") else (0, 0)


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _FRAMES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a length
            at += 2
        else:
            at += 2 + max(int.from_bytes(data[at + 2 : at + 4]), 2)
    return 0, 0


def multipart(one: Picture, data: bytes) -> tuple[bytes, str]:
    """Build the body of an upload and its content type. The file is named by its sha: names in POHODA may be anything,

    and one without an extension that fits is refused (recorded). Raises `Unusable`.
    """
    kind = kind_of(one, data)
    boundary = _BOUNDARY
    while boundary.encode() in data:
        boundary += "-"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{one.sha[:16]}.{_KINDS[kind]}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def listed(answer: Answer) -> tuple[int, ...]:
    """Ids of a product's pictures by position. Raises `ShopUnavailable` for what is no such list."""
    root = wire.parse(answer.body)
    shelf = None if root is None or answer.status != 200 else root.find("image")
    if shelf is None:
        raise ShopUnavailable(
            f"The shop answers HTTP {answer.status}, but not with a list of pictures.",
            hint="Is the shop under maintenance? The agent tries again by itself.",
        )
    ids = [wire.whole(one.get("id")) for one in shelf.findall("declination")]
    return tuple(one for one in ids if one)


def of_combination(place: str) -> Rejected:
    """Refuse pictures of a combination."""
    return Rejected(
        f"PrestaShop keeps pictures at the product; {place} is one of its combinations.",
        "Add the pictures to the product in PrestaShop, and choose there which of them the combination shows.",
    )
