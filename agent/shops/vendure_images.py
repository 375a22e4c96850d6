"""Vendure: a card's pictures are uploaded, ordered, named and removed. Measured on Vendure 3.7.3; decisions:

* `vendure_gallery` says how a picture of ours is known again. Before anything is sent, all assets with this card's
  mark are looked up, assigned or not: what an earlier call uploaded without hearing of it is used, its doubles are
  removed. So after any number of lost answers each picture is there once.
* One picture per request (the shop takes 20 MB a file and says so without a code), in the order of the value.
* The shop does not look into a file, its ending is enough: an empty ``.png`` is a picture to it. So it is looked at
  here.
* Vendure deletes an asset although another product shows it, unless as its **first** picture (it asks ``featuredAsset``
  alone). So before a picture of ours is deleted, the whole catalogue is asked once in ten minutes who else shows one
  of ours (`Elsewhere`); such a one is only taken off its card.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.errors import AnswerLost, ShopUnavailable, Unusable
from agent.events import Done, Exchange, Held, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops import vendure_gallery as gallery
from agent.shops.vendure_gallery import Asset, Gallery
from agent.shops.vendure_lists import Lists, Row, understood
from agent.shops.vendure_session import Reply, Upload, VendureSession
from agent.shops.vendure_variants import REFUSALS, gone, refused

_LIBRARY = "query($o: AssetListOptions) { assets(options: $o) { totalItems items { " + gallery.ASSET + " } } }"
_UPLOAD = (
    "mutation($f: [CreateAssetInput!]!) { createAssets(input: $f) { __typename ... on Asset { "
    + gallery.ASSET
    + " } ... on ErrorResult { message } } }"
)
_PRODUCT = "mutation($p: UpdateProductInput!) { updateProduct(input: $p) { id } }"
_VARIANT = "mutation($p: UpdateProductVariantInput!) { updateProductVariants(input: [$p]) { id } }"
_NAME = "mutation($a: UpdateAssetInput!) { updateAsset(input: $a) { id } }"
_DELETE = "mutation($a: DeleteAssetInput!) { deleteAsset(input: $a) { result } }"
_USERS = (
    "query($o: ProductListOptions) { products(options: $o) { totalItems items { variants { id assets { " + gallery.ASSET
) + f" }} }} assets {{ {gallery.ASSET} }} }} }} }}"
_KINDS = "Use a JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF picture in POHODA."
ELSEWHERE_FOR = 600.0
"""Seconds for which it is believed who else shows pictures of ours."""


class _Stop(Exception):
    """An outcome that ends the work on an item."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Elsewhere:
    """Which pictures of ours are shown by products that are not theirs (someone chose them from the library)."""

    def __init__(self, session: VendureSession) -> None:
        self._session = session
        self._ids: frozenset[str] = frozenset()
        self._until = 0.0

    def has(self, asset: Asset) -> bool:
        """Raises `ShopUnavailable`."""
        if time.monotonic() >= self._until:
            self._ids = frozenset(self._read())
            self._until = time.monotonic() + ELSEWHERE_FOR
        return asset.id in self._ids

    def _read(self) -> set[str]:
        found: set[str] = set()
        skip, total = 0, 1
        while skip < total:
            data = self._session.ask(_USERS, {"o": {"sort": {"id": "ASC"}, "skip": skip, "take": 200}})
            total, strangers = understood("products with their pictures", functools.partial(_page_of_strangers, data))
            found |= strangers
            skip += 200
        return found


class Images:
    """Writes the pictures of cards, one card after another."""

    def __init__(
        self,
        session: VendureSession,
        lists: Lists,
        *,
        language: str,
        pictures: Callable[[str], bytes],
        elsewhere: Elsewhere,
    ) -> None:
        self._session = session
        self._lists = lists
        self._language = language
        self._pictures = pictures
        self._elsewhere = elsewhere
        self._wrote = False

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Make each card show the pictures of its value; what others added stays behind them."""
        outcomes: list[Outcome] = []
        for item in owed:
            try:
                outcomes.append(self._deliver(item))
            except _Stop as stop:
                outcomes.append(stop.outcome)
            except ShopUnavailable:
                if not self._wrote:
                    raise
                return outcomes + [Untried()] * (len(owed) - len(outcomes))
        return outcomes

    def _deliver(self, item: Owed) -> Outcome:
        wanted = item.event.value
        if reason := gallery.bad(wanted):
            return Rejected(f"images: {reason}", "Correct the pictures in POHODA; nothing was sent.")
        link = gallery.read_link(item.link) if item.link else None
        if link is None:
            return Rejected("The card is not known in the shop.", "It is looked up by its SKU.", link_lost=True)
        before = self._gallery(link.variant)
        if before is None:
            return gone(link.variant, "pictures")
        pictures = gallery.first_of_each(wanted)  # type: ignore[arg-type]  # `bad` has looked at its shape
        library = gallery.by_sha(self._library(link.variant))
        self._upload(link.variant, [p for sha, p in pictures.items() if sha not in library], library)
        self._show(before, [library[sha][0] for sha in pictures])
        self._rename([(library[sha][0], str(picture["alt"])) for sha, picture in pictures.items()])
        self._remove([a for sha, same in library.items() for a in same[1 if sha in pictures else 0 :]])
        return self._confirm(link.variant, wanted, pictures)

    def _confirm(self, variant: str, wanted: Value, pictures: Mapping[str, Mapping[str, Any]]) -> Outcome:
        try:
            after = self._gallery(variant)
        except ShopUnavailable as error:
            return Unclear(f"It was written, and could not be read back: {error}")
        if after is None:
            return Unclear("the variant went away meanwhile")
        files = {sha: str(picture["file"]) for sha, picture in pictures.items()}
        held: Value = gallery.value(after, files)
        if held == list(pictures.values()):
            held = wanted  # a picture that POHODA has twice is shown once
        return Done(gallery.write_link(after, files), held, Exchange(f"{len(pictures)} pictures", "read back"))

    # ------------------------------------------------------------------------------------------------ reading

    def _gallery(self, variant: str) -> Gallery | None:
        row = self._lists.by_id(gallery.FIELDS, [variant]).get(variant)
        return None if row is None else gallery_of(row, self._language)

    def _library(self, variant: str) -> list[Asset]:
        """Read all assets with the mark of a card, wherever they are, the oldest first."""
        mark = f"ph{gallery.owner_of(variant)}-"
        question = {"_or": [{"source": {"contains": mark}}, {"name": {"contains": mark}}]}
        found: dict[str, Asset] = {}
        total = 1
        while len(found) < total:
            window = {"filter": question, "sort": {"id": "ASC"}, "skip": len(found), "take": 500}
            data = self._session.ask(_LIBRARY, {"o": window})
            total, read = understood("list of assets", functools.partial(_page_of_assets, data, self._language))
            if not read:
                break
            found |= {asset.id: asset for asset in read}
        return [asset for asset in found.values() if asset.owner == gallery.owner_of(variant)]

    # ------------------------------------------------------------------------------------------------ writing

    def _upload(self, variant: str, missing: Sequence[Mapping[str, Any]], library: dict[str, list[Asset]]) -> None:
        """Upload what is missing, after all of it was looked at, and put it into the library."""
        files: list[tuple[str, Upload]] = []
        for picture in missing:
            sha, file = str(picture["sha"]), str(picture["file"])
            try:
                content = self._pictures(sha)
            except Unusable as error:
                raise _Stop(Rejected(str(error), error.hint or "Put the file back, or remove it in POHODA.")) from error
            kind = gallery.kind_of(content)
            if kind is None:
                raise _Stop(Rejected(f"{file[:80]}: not a picture that the shop can show", _KINDS))
            mime, ending = kind
            files.append((sha, Upload(gallery.file_name(variant, sha, file, ending), mime, content)))
        for sha, upload in files:
            send = functools.partial(self._session.upload, _UPLOAD, {"f": [{"file": None}]}, upload)
            library[sha] = [self._uploaded(self._call(f"upload {upload.name[:60]}", send), upload.name)]

    def _uploaded(self, reply: Reply, name: str) -> Asset:
        made = ((reply.data or {}).get("createAssets") or [{}])[0] or {}
        if made.get("__typename") == "MimeTypeError":
            raise _Stop(Rejected(f"The shop refuses {name[:80]}: {made.get('message', '')}", _KINDS))
        try:
            return gallery.asset_of(made, self._language)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _Stop(Unclear("the answer does not name the asset", Exchange(f"upload {name[:60]}"))) from error

    def _show(self, before: Gallery, ours: Sequence[Asset]) -> None:
        """Assign our pictures in order, then the foreign ones; the first is the one that lists show."""
        foreign = [asset.id for asset in before.foreign()]
        ids = [*(asset.id for asset in ours), *foreign]
        featured = before.featured if not ours and before.featured in foreign else (ids[0] if ids else "")
        if ids == [asset.id for asset in before.assets] and featured == before.featured:
            return
        change = {"id": before.product or before.variant, "assetIds": ids, "featuredAssetId": featured or None}
        document = _PRODUCT if before.product else _VARIANT
        self._call(
            f"show assets {', '.join(ids)[:80]}", functools.partial(self._session.change, document, {"p": change})
        )

    def _rename(self, texts: Sequence[tuple[Asset, str]]) -> None:
        for asset, alt in texts:
            name = gallery.name_for(asset, alt)
            if name != asset.name:
                change = {"id": asset.id, "translations": [{"languageCode": self._language, "name": name}]}
                self._call(f"name asset {asset.id}", functools.partial(self._session.change, _NAME, {"a": change}))

    def _remove(self, assets: Sequence[Asset]) -> None:
        """Delete pictures of ours; one that is shown elsewhere stays (the shop answers NOT_DELETED, or we know)."""
        for asset in assets:
            if not self._elsewhere.has(asset):
                change = {"assetId": asset.id}
                self._call(f"delete asset {asset.id}", functools.partial(self._session.change, _DELETE, {"a": change}))

    def _call(self, what: str, call: Callable[[], Reply]) -> Reply:
        try:
            reply = call()
        except AnswerLost as error:
            self._wrote = True
            raise _Stop(Unclear(str(error), Exchange(what, str(error)))) from error
        self._wrote = True
        if reply.failed and "byte size limit" in reply.message and reply.at == "createAssets":
            hint = "Make the picture smaller in POHODA, or raise uploadMaxFileSize in Vendure's assetOptions."
            raise _Stop(Rejected(f"The shop refuses so large a file: {reply.message}", hint, Exchange(what)))
        if reply.failed or reply.data is None:
            definite = reply.code in REFUSALS or reply.status == 413
            raise _Stop(refused(reply, [what]) if definite else Unclear(reply.message, Exchange(what, reply.message)))
        return reply


def gallery_of(row: Row, language: str) -> Gallery:
    """Understand what the shop says of a card's pictures; another shape is `ShopUnavailable`."""
    read: Gallery = understood("pictures", lambda: gallery.gallery_of(row, language))
    return read


def held(key: str, row: Row, *, language: str, link: str | None = None) -> Held:
    """Say what a card shows; the files' names are known from the link alone."""
    known = gallery.read_link(link) if link else None
    files = known.files if known else {}
    there = gallery_of(row, language)
    return Held(key=key, code=row.sku, link=gallery.write_link(there, files), value=gallery.value(there, files))


def _strangers(product: Mapping[str, Any]) -> set[str]:
    """Ids of pictures of ours in a product none of whose variants they belong to; or in another variant."""
    variants = product["variants"]
    owners = {gallery.owner_of(str(variant["id"])) for variant in variants}
    shown = [(asset, owners) for asset in product["assets"]]
    shown += [(asset, {gallery.owner_of(str(v["id"]))}) for v in variants for asset in v["assets"]]
    read = [(gallery.asset_of(asset, ""), mine) for asset, mine in shown]
    return {asset.id for asset, mine in read if asset.sha and asset.owner not in mine}


def _page_of_strangers(data: Mapping[str, Any]) -> tuple[int, set[str]]:
    listed = data["products"]
    return int(listed["totalItems"]), {asset for product in listed["items"] for asset in _strangers(product)}


def _page_of_assets(data: Mapping[str, Any], language: str) -> tuple[int, list[Asset]]:
    listed = data["assets"]
    return int(listed["totalItems"]), [gallery.asset_of(raw, language) for raw in listed["items"]]
