"""Vendure: the picture of a category: uploaded once, found again by its name, removed when nobody shows it.

As pictures of cards (`vendure_gallery`): the name of the file holds whose picture it is and the SHA-256 of its bytes,
so that the shop tells it whatever became of an answer. The owner in it is ``category`` and the category's key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.errors import Unusable
from agent.events import Rejected
from agent.shops import vendure_gallery as gallery
from agent.shops.vendure_calls import Calls, Stop
from agent.shops.vendure_facet_lists import age, everything
from agent.shops.vendure_gallery import ASSET, Asset
from agent.shops.vendure_images import Elsewhere
from agent.shops.vendure_session import Upload, VendureSession

_LIBRARY = f"query($o: AssetListOptions) {{ listed: assets(options: $o) {{ totalItems items {{ {ASSET} }} }} }}"
_UPLOAD = (
    "mutation($f: [CreateAssetInput!]!) { createAssets(input: $f) { __typename ... on Asset { "
    f"{ASSET} }} ... on ErrorResult {{ message }} }} }}"
)
_DELETE = "mutation($a: DeleteAssetInput!) { deleteAsset(input: $a) { result } }"
_KINDS = "Use a JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF picture in POHODA."


def owner_of(key: str) -> str:
    """The part of a picture's mark that names its category."""
    return gallery.owner_of(f"category{key}")


def sha_in(asset: Asset | None, key: str) -> str:
    """The SHA-256 of a picture if it is the category's and ours; else empty."""
    return asset.sha if asset and asset.owner == owner_of(key) else ""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of categories in one call of ``deliver``."""

    session: VendureSession
    calls: Calls
    language: str
    pictures: Callable[[str], bytes]
    elsewhere: Elsewhere

    def library(self, key: str) -> list[Asset]:
        """All pictures of a category in the shop, shown or not, the oldest first. Raises `ShopUnavailable`."""
        mark = f"ph{owner_of(key)}-"
        question = {"filter": {"_or": [{"source": {"contains": mark}}, {"name": {"contains": mark}}]}}
        found = everything(self.session, _LIBRARY, lambda raw: gallery.asset_of(raw, self.language), question)
        return sorted((asset for asset in found if asset.owner == owner_of(key)), key=lambda asset: age(asset.id))

    def upload(self, key: str, picture: Mapping[str, Any]) -> Asset:
        """Upload a picture. Raises `Stop`, `ShopUnavailable`."""
        sha, file = str(picture["sha"]), str(picture["file"])
        try:
            content = self.pictures(sha)
        except Unusable as error:
            raise Stop(Rejected(str(error), error.hint or "Put the file back, or remove it in POHODA.")) from error
        kind = gallery.kind_of(content)
        if kind is None:
            raise Stop(Rejected(f"{file[:80]}: not a picture that the shop can show", _KINDS))
        mime, ending = kind
        upload = Upload(gallery.file_name(f"category{key}", sha, file, ending), mime, content)
        what = f"upload {upload.name[:60]}"
        data = self.calls.change(_UPLOAD, {"f": [{"file": None}]}, what=what, file=upload)
        made = self.calls.told(what, lambda: data["createAssets"][0])
        if made.get("__typename") == "MimeTypeError":
            raise Stop(Rejected(f"The shop refuses {file[:80]}: {made.get('message', '')}", _KINDS))
        return self.calls.told(what, lambda: gallery.asset_of(made, self.language))

    def remove(self, assets: list[Asset]) -> None:
        """Delete pictures of ours, but for those that someone shows elsewhere. Raises `Stop`, `ShopUnavailable`."""
        for asset in assets:
            if not self.elsewhere.has(asset):
                self.calls.change(_DELETE, {"a": {"assetId": asset.id}}, what=f"delete asset {asset.id}")
