"""Pictures of products, as the webservice keeps them: a resource of its own kind, in multipart and in bytes.

Recorded: no dedupe; a picture is stored re-encoded, so its bytes differ from the upload; a product without pictures is
an empty 404; the answer to an upload carries the record and the stored bytes in base64; a file without an extension is
refused at once, but what only *calls itself* a picture leaves a record without a file, whose GET is 500; a picture is
replaced by POST with ``ps_method=PUT`` (a plain PUT is no upload for PHP). The first picture of a product is its cover,
a new one comes last (``WebserviceSpecificManagementImages`` reads nothing but the file: no legend, no position).
Not recorded, the harmless way chosen: a deleted cover leaves the product without one.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent.demo.prestashop import render
from agent.demo.prestashop.errors import WebserviceError
from agent.demo.prestashop.schema import Resource

IMAGES = Resource(name="images", node="image", class_name="Image", description="The images", fields=())
_EXTENSIONS = {"gif", "jpg", "jpeg", "jpe", "png", "webp"}
_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif", b"RIFF": "image/webp"}
SHORTEST = 20
"""Bytes; nothing that a picture library opens is shorter."""
_MARK = b"re-encoded by the shop"


class Reply(NamedTuple):
    """An answer about pictures; ``kind`` is its content type, empty for none."""

    status: int
    kind: str = ""
    body: bytes = b""


class Sent(NamedTuple):
    """The part ``image`` of an upload."""

    file: str
    data: bytes


@dataclass(slots=True)
class Picture:
    """One picture; ``data`` is None for a record whose file was never written."""

    id: int
    product: int
    position: int
    cover: bool
    data: bytes | None
    kind: str = "image/jpeg"


class Shelf:
    """All pictures of the shop. Not locked: used under the store's lock."""

    def __init__(self) -> None:
        self.pictures: dict[int, Picture] = {}
        self.next_id = 1

    def of(self, product: int) -> Sequence[Picture]:
        """The pictures of a product by position."""
        return sorted(
            (one for one in self.pictures.values() if one.product == product), key=lambda one: (one.position, one.id)
        )

    def cover_of(self, product: int) -> int | None:
        """Which picture lists show."""
        return next((one.id for one in self.of(product) if one.cover), None)

    def add(self, product: int) -> Picture:
        """Make the record of a new picture: last, and the cover where there is none."""
        before = self.of(product)
        position = max((one.position for one in before), default=0) + 1
        made = Picture(self.next_id, product, position, not any(one.cover for one in before), None)
        self.pictures[made.id] = made
        self.next_id += 1
        return made

    def remove(self, picture: int) -> None:
        """Delete a picture; those after it move up."""
        gone = self.pictures.pop(picture)
        for place, one in enumerate(self.of(gone.product), 1):
            one.position = place

    def set_cover(self, product: int, picture: int) -> None:
        """Make a picture the cover (``Product::setCoverWs``: whether it is one of this product is not looked at)."""
        for one in self.of(product):
            one.cover = False
        if picture in self.pictures:
            self.pictures[picture].cover = True


def kind_of(data: bytes) -> str:
    """The content type that the first bytes tell; empty for what is no picture, or too short to be one."""
    if len(data) < SHORTEST:
        return ""
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")


def re_encoded(data: bytes) -> bytes:
    """Make other bytes of the same picture, always the same ones: a comment in JPEG, a text behind the end else."""
    if data.startswith(b"\xff\xd8"):
        return data[:2] + b"\xff\xfe" + (len(_MARK) + 2).to_bytes(2) + _MARK + data[2:]
    return data + _MARK


def upload_of(content_type: str, body: bytes) -> Sent:
    """Read the part ``image`` out of a multipart body. Raises error 76 where there is none."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    for part in body.split(b"--" + boundary[1].encode())[1:] if boundary else ():
        head, found, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = re.search(rb'content-disposition:[^\r]*\bname="image"[^\r]*\bfilename="([^"]*)"', head, re.IGNORECASE)
        if found and named:
            return Sent(named[1].decode("utf-8", "replace"), data.removesuffix(b"\r\n"))
    raise WebserviceError(400, 76, 'Please set an "image" parameter with image data for value')


def check_name(sent: Sent) -> None:
    """Refuse what has no extension of a picture, before anything is kept."""
    if sent.file.rpartition(".")[2].lower() not in _EXTENSIONS or "." not in sent.file:
        text = "Image format not recognized, allowed formats are: gif, jpg, jpeg, jpe, png, webp"
        raise WebserviceError(400, 76, f"Image upload error : {text}")


def write(picture: Picture, sent: Sent) -> None:
    """Put the file of a picture down. Raises error 76, with the record left behind, for what is no picture."""
    kind = kind_of(sent.data)
    if not kind:
        raise WebserviceError(400, 76, "An error occurred while copying image")
    picture.kind, picture.data = kind, re_encoded(sent.data)


def list_xml(look: render.Look, product: int, pictures: Sequence[Picture]) -> bytes:
    """The list of a product's pictures."""
    items = "".join(
        f'<declination id="{one.id}" xlink:href="{look.url}/images/products/{product}/{one.id}"/>\n' for one in pictures
    )
    return render.document(f'<image id="{product}">\n{items}</image>\n')


def upload_xml(look: render.Look, picture: Picture) -> bytes:
    """The answer to an upload: the record, and the stored bytes."""
    values = {
        "id": picture.id,
        "id_product": picture.product,
        "position": picture.position,
        "cover": "1" if picture.cover else "",
    }
    lines = "".join(f"<{name}><![CDATA[{value}]]></{name}>\n" for name, value in values.items())
    legend = "".join(
        f'<language id="{one}" xlink:href="{look.url}/languages/{one}"><![CDATA[]]></language>'
        for one in look.languages
    )
    content = base64.b64encode(picture.data or b"").decode()
    return render.document(
        f"<image>\n{lines}<legend>{legend}</legend>\n</image>\n"
        f'<content encode="base64"><![CDATA[{content}]]></content>\n'
    )
