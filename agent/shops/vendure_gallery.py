"""Vendure: which pictures a card has, whose they are, and what a picture of ours is called. No I/O.

Measured on Vendure 3.7.3; decisions:

* An asset keeps the bytes as they came, and the uploaded file's name twice: as its name, and, without accents and in
  lower case, in ``source``. So our files are called ``<file>-ph<variant>-<sha256>.<ending>``: the shop itself tells
  whose bytes it holds, whatever became of an answer, of the link or of the state file. A picture belongs to one card;
  two cards with the same bytes have an asset each, so that neither's removal or text touches the other.
* An asset has no alternative text; shops show its **name** as that. So the text is the name in our language; where
  ``source`` does not show the mark (a naming strategy of the shop's own) the mark stays behind the name. With an
  empty text the name is that of the file.
* Pictures lie in the product where the card is all of it, else in the variant. What has no mark of this card is
  foreign: it stays, behind ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent.events import Value
from agent.shops.vendure_card import is_whole
from agent.shops.vendure_lists import Row

ASSET = "id name source translations { languageCode name }"
FIELDS = (
    f"options {{ id }} assets {{ {ASSET} }} featuredAsset {{ id }}"
    f" product {{ id variants {{ id }} assets {{ {ASSET} }} featuredAsset {{ id }} }}"
)
LONGEST_NAME = 255
"""What the columns of MySQL and PostgreSQL hold."""
_SHA = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(r"ph([0-9a-z]+)-([0-9a-f]{64})")
_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"GIF8", "image/gif", "gif"),
    (b"BM", "image/bmp", "bmp"),
    (b"II*\0", "image/tiff", "tif"),
    (b"MM\0*", "image/tiff", "tif"),
)


@dataclass(frozen=True, slots=True)
class Asset:
    """One picture in the shop. ``owner`` and ``sha`` are its mark; empty when it is not one of ours."""

    id: str
    name: str
    source: str
    owner: str
    sha: str

    @property
    def shows_mark(self) -> bool:
        """Whether ``source`` has the mark, so that the name is free."""
        return _MARK.search(self.source.lower()) is not None


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of one card in the order of the shop. ``product`` is empty when they lie in the variant."""

    variant: str
    sku: str
    product: str
    assets: tuple[Asset, ...]
    featured: str

    def ours(self) -> list[Asset]:
        """Our pictures, each once."""
        mine = [asset for asset in self.assets if asset.sha and asset.owner == owner_of(self.variant)]
        return list({asset.sha: asset for asset in reversed(mine)}.values())[::-1]

    def foreign(self) -> list[Asset]:
        """What others put there."""
        return [asset for asset in self.assets if asset.owner != owner_of(self.variant)]


@dataclass(frozen=True, slots=True)
class Link:
    """The link of the target ``images``: the variant; what lies there is for people and other tools to see."""

    variant: str
    files: Mapping[str, str]
    """sha → the file's name as in POHODA, which the shop does not keep."""


def read_link(text: str) -> Link | None:
    """Understand a link; None when it is none of ours."""
    try:
        raw = orjson.loads(text)
        return Link(str(raw["p"]), {str(sha): str(file) for sha, file in (raw.get("n") or {}).items()})
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def write_link(gallery: Gallery, files: Mapping[str, str]) -> str:
    """Write a link: the variant, our pictures by sha, the foreign ones, and our files' names."""
    ours = {asset.sha: asset.id for asset in gallery.ours()}
    parts = {
        "p": gallery.variant,
        "i": ours,
        "f": [asset.id for asset in gallery.foreign()],
        "n": {sha: files[sha] for sha in ours if sha in files},
    }
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS).decode()


def gallery_of(row: Row, language: str) -> Gallery:
    """Understand a variant that was asked for `FIELDS`."""
    whole = is_whole(row)
    place = row.said["product"] if whole else row.said
    return Gallery(
        variant=row.id,
        sku=row.sku,
        product=str(row.said["product"]["id"]) if whole else "",
        assets=tuple(asset_of(raw, language) for raw in place["assets"]),
        featured=str((place["featuredAsset"] or {}).get("id") or ""),
    )


def asset_of(raw: Mapping[str, Any], language: str) -> Asset:
    """Understand an asset that was asked for `ASSET`."""
    names = {str(t["languageCode"]): str(t["name"]) for t in raw["translations"]}
    texts = (str(raw["source"]), str(raw["name"]), *names.values())
    mark = next((found for text in texts if (found := _MARK.search(text.lower()))), None)
    owner, sha = mark.groups() if mark else ("", "")
    return Asset(str(raw["id"]), names.get(language, str(raw["name"])), str(raw["source"]), owner, sha)


def value(gallery: Gallery, files: Mapping[str, str]) -> list[Value]:
    """Say what pictures of ours the card shows, in order; if lists show another of ours than the first, that one first.

    A foreign picture that a person has put first stays there until the next change of ours.
    """
    ours = sorted(gallery.ours(), key=lambda asset: asset.id != gallery.featured)
    return [{"sha": one.sha, "file": files.get(one.sha, file_of(one)), "alt": alt_of(one)} for one in ours]


def bad(wanted: Value) -> str:
    """Say why a value is none of the contract's; empty when it is one."""
    if not isinstance(wanted, list):
        return "not a list of pictures"
    for picture in wanted:
        if not isinstance(picture, dict) or set(picture) != {"sha", "file", "alt"}:
            return "a picture is not sha, file and alt"
        if not all(isinstance(part, str) for part in picture.values()) or not _SHA.fullmatch(str(picture["sha"])):
            return "a picture's sha is not the SHA-256 of its bytes in hexadecimal"
        if len(str(picture["alt"])) > LONGEST_NAME - 100:
            return f"alt: longer than {LONGEST_NAME - 100} characters"
    return ""


def owner_of(variant: str) -> str:
    """The part of a mark that names the card."""
    return re.sub(r"[^0-9a-z]", "", variant.lower())


def file_name(variant: str, sha: str, file: str, ending: str) -> str:
    """Name an upload so that the shop tells whose bytes it holds."""
    stem = re.split(r"[\\/]", file)[-1].rpartition(".")[0] or file
    stem = re.sub(r"[^\w .+-]", "_", stem).strip(" .")[:80]
    return f"{stem or 'obrazek'}-ph{owner_of(variant)}-{sha}.{ending}"


def name_for(asset: Asset, alt: str) -> str:
    """What an asset is to be called so that `alt_of` reads this text; its present name when that is so already."""
    if alt_of(asset) == alt:
        return asset.name
    if not alt:
        return file_name(asset.owner, asset.sha, file_of(asset), asset.source.rpartition(".")[2][:4])
    return alt if asset.shows_mark else f"{alt} (ph{asset.owner}-{asset.sha})"


def alt_of(asset: Asset) -> str:
    """The alternative text: the name, unless it is that of the file."""
    mark = f"ph{asset.owner}-{asset.sha}"
    head, found, _ = asset.name.partition(f" ({mark})")
    if found:
        return head
    return "" if mark in asset.name.lower() else asset.name


def file_of(asset: Asset) -> str:
    """The file's name as far as the shop keeps it: in lower case, without accents."""
    tail = asset.source.rpartition("/")[2]
    stem, _, rest = tail.partition(f"-ph{asset.owner}-{asset.sha}")
    return f"{stem}.{rest.rpartition('.')[2]}" if rest else tail


def kind_of(content: bytes) -> tuple[str, str] | None:
    """Tell a picture by its first bytes: MIME type and ending. The shop believes the name, even of an empty file."""
    for start, mime, ending in _KINDS:
        if content.startswith(start):
            return mime, ending
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", "webp"
    if content[4:8] == b"ftyp" and content[8:12] in {b"avif", b"avis"}:
        return "image/avif", "avif"
    return None


def first_of_each(pictures: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The pictures by sha, each once, in order: a shop shows the same picture of a card once."""
    found: dict[str, Mapping[str, Any]] = {}
    for picture in pictures:
        found.setdefault(str(picture["sha"]), picture)
    return found


def by_sha(assets: Iterable[Asset]) -> dict[str, list[Asset]]:
    """Group assets by their bytes, in the order given (by id: the first upload first)."""
    found: dict[str, list[Asset]] = {}
    for asset in assets:
        found.setdefault(asset.sha, []).append(asset)
    return found
