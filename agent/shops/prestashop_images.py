"""The target ``images`` in PrestaShop: pictures of products, one request each, nothing twice.

* What the webservice cannot set: the **alternative text** (``legend``) and the **position**. An upload reads the file
  and nothing else, and pictures are no resource of their own (``WebserviceSpecificManagementImages``; recorded answers
  show both fields, empty and counted up). Shops show the product's name where a legend is empty. A new picture comes
  last. So the order is: the default picture (``id_default_image`` of the product, which can be set) first, the others
  by position; a picture whose place is wrong is deleted and uploaded again, with all of ours that come after it.
* Pictures are re-encoded: what they hold cannot be told from outside. The link says which id is which file:
  ``{"p": product link, "i": {sha: id}, "f": [ids that are not ours]}``.
* An id that is neither ours nor foreign comes from an upload whose answer was lost. Uploads are made in the order of
  the value, and ids ascend: it is the next missing picture, **if its size in pixels is right**, which the shop keeps.
  If not, someone added it by hand, or the value has changed since: it is left, as foreign. Two are deleted: one without
  a file, which a refused upload leaves behind (GET is 500, recorded), and one whose bytes are those of a picture of
  ours, from an upload that landed late (the same file is re-encoded to the same bytes, recorded).
* Pictures of a combination are a choice among those of its product; they are not kept in sync.
* Of what is confirmed or read ``alt`` is None and ``file`` empty, for the shop keeps neither.
* An error after a part of the steps is unclear: the next delivery lists what is there and goes on from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent.errors import AnswerLost, ShopUnavailable, Unusable
from agent.events import Done, Outcome, Owed, Rejected, Unclear, Untried, Value
from agent.shops import prestashop_pictures as pictures
from agent.shops import prestashop_xml as wire
from agent.shops.http import ShopHttp
from agent.shops.prestashop_answers import GONE, Said, failure, record_of
from agent.shops.prestashop_fields import number
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_pictures import ImagesLink, Picture

_XML = {"content-type": "text/xml; charset=utf-8"}
FULL_ROWS = 50
_UNKNOWN_IMAGE = 57
_NO_FILE = 61


class Gallery(NamedTuple):
    """The pictures of a product now: ids by position, and the default one (0: none)."""

    ids: tuple[int, ...]
    default: int

    def ordered(self) -> list[int]:
        """Ids in the order that customers see: the default one first."""
        return sorted(self.ids, key=lambda one: one != self.default)


class _Halt(Exception):
    """The steps end here."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class Images:
    """Delivers and reads the target ``images``; ``data`` gives the bytes of a picture by its sha."""

    def __init__(
        self, http: ShopHttp, lists: Lists, *, data: Callable[[str], bytes], short: Callable[[str], str]
    ) -> None:
        self._http = http
        self._lists = lists
        self._data = data
        self._short = short

    def deliver(self, owed: Sequence[Owed]) -> list[Outcome]:
        """Make the pictures of each product what the value says. Raises `ShopUnavailable` when nothing was sent."""
        outcomes: list[Outcome] = []
        for item in owed:
            try:
                outcomes.append(_Delivery(self._http, self._lists, self._data, self._short, item).run())
            except ShopUnavailable:
                if all(isinstance(before, Rejected) for before in outcomes):
                    raise
                return outcomes + [Untried()] * (len(owed) - len(outcomes))
        return outcomes

    def galleries(self, products: Sequence[int]) -> dict[int, Gallery]:
        """The pictures of many products; what is gone is missing. Raises `ShopUnavailable`."""
        found = {}
        for product, row in self._lists.records("products", "full", products, FULL_ROWS).items():
            links = row.get("associations")
            listed = links.get("images", []) if isinstance(links, dict) else []
            ids = tuple(number(one.get("id")) for one in listed if isinstance(one, dict))
            found[product] = Gallery(ids, number(row.get("id_default_image")))
        return found

    def resolved(self, link: ImagesLink, product: int, gallery: Gallery, tried: Value) -> ImagesLink:
        """Say which pictures are ours after a lost answer, from what was tried.

        A delivery deletes first, then uploads what is missing in the order of its value, and stops at the first answer
        that is lost: so the ids that are unknown are, in their order, the first ones of what was missing.
        Raises `ShopUnavailable`.
        """
        ours = {sha: one for sha, one in link.ours.items() if one in gallery.ids}
        try:
            missing = [one for one in pictures.wanted(tried) if one.sha not in ours]
        except Unusable:
            return link
        look = _Delivery(self._http, self._lists, self._data, self._short, None, product=product)
        for one, unknown in zip(missing, sorted({*gallery.ids} - {*ours.values(), *link.foreign}), strict=False):
            data = look.stored(unknown)
            if data is None or not self._may_be(one, data):
                break
            ours[one.sha] = unknown
        return ImagesLink(link.product, ours, link.foreign)

    def _may_be(self, one: Picture, stored: bytes) -> bool:
        try:
            return pictures.size_of(self._data(one.sha)) == pictures.size_of(stored)
        except Unusable:  # the file is gone meanwhile
            return True

    @staticmethod
    def value(link: ImagesLink, gallery: Gallery) -> list[Value]:
        """Our pictures among those there now, in order; the shop keeps no names of files and takes no other texts."""
        ours = {one: sha for sha, one in link.ours.items()}
        return [{"sha": ours[one], "file": "", "alt": None} for one in gallery.ordered() if one in ours]


class _Delivery:
    """The steps for one product; a new one for each delivery."""

    def __init__(
        self,
        http: ShopHttp,
        lists: Lists,
        data: Callable[[str], bytes],
        short: Callable[[str], str],
        item: Owed | None,
        *,
        product: int = 0,
    ) -> None:
        """``item`` None: only the pictures of ``product`` are looked at."""
        self._http = http
        self._lists = lists
        self._data = data
        self._short = short
        self._item = item
        self._steps = 0
        self._product = product

    def run(self) -> Outcome:
        assert self._item is not None
        link = pictures.link_of(self._item.link)
        place = wire.link_of(link.product) if link else None
        if link is None or place is None:
            return Rejected("The link to the pictures is missing or damaged.", GONE, link_lost=True)
        if place.combination:
            return pictures.of_combination(str(place))
        self._product = place.product
        try:
            return self._bring_about(pictures.wanted(self._item.event.value), link)
        except _Halt as halt:
            return halt.outcome
        except (Unusable, ShopUnavailable) as error:
            if self._steps:
                return self._said("").unclear(f"The pictures were changed in part: {error}")
            if isinstance(error, ShopUnavailable):
                raise
            return Rejected(self._short(str(error)), error.hint)

    def _bring_about(self, wanted: Sequence[Picture], link: ImagesLink) -> Outcome:
        now = self._look()
        ours, foreign = self._sort_out(wanted, link, now)
        order = [one for one in now.ids if one not in foreign]
        kept = pictures.kept([one.sha for one in wanted], ours, order)
        missing = [one for one in wanted if one.sha not in kept]
        for one in missing:
            pictures.kind_of(one, self._data(one.sha))  # before anything is deleted
        for image in [image for sha, image in ours.items() if sha not in kept]:
            self._delete(image)
        ours = {sha: ours[sha] for sha in kept}
        for one in missing:
            ours[one.sha] = self._upload(one, {*now.ids, *ours.values()})
        final = self._look() if self._steps else now
        if wanted and final.default != ours[wanted[0].sha]:
            self._make_default(ours[wanted[0].sha])
            final = self._look()
        if not set(ours.values()) <= set(final.ids):
            return Unclear("The shop took the pictures and does not show them all.", self._said("").exchange())
        made = ImagesLink(link.product, ours, tuple(sorted(set(final.ids) - set(ours.values()))))
        return Done(
            str(made),
            Images.value(made, final),
            self._said(f"{len(missing)} uploaded").exchange(f"{len(final.ids)} pictures"),
        )

    def _sort_out(self, wanted: Sequence[Picture], link: ImagesLink, now: Gallery) -> tuple[dict[str, int], set[int]]:
        """Say which pictures are ours, with those of lost answers among them, and which are not."""
        ours = {sha: one for sha, one in link.ours.items() if one in now.ids}
        foreign = set(link.foreign) & set(now.ids)
        missing = [one for one in wanted if one.sha not in ours]
        for unknown in sorted(set(now.ids) - set(ours.values()) - foreign):
            data = self.stored(unknown)
            if data is None:
                self._delete(unknown)
                continue
            size = pictures.size_of(data)
            fitting = [place for place, one in enumerate(missing) if pictures.size_of(self._data(one.sha)) == size]
            if fitting:
                ours[missing[fitting[0]].sha] = unknown
                missing = missing[fitting[0] + 1 :]
            elif any(self.stored(one) == data for one in ours.values()):
                self._delete(unknown)
            else:
                foreign.add(unknown)
        return ours, foreign

    # ------------------------------------------------------------------------------------------------ single steps

    def _look(self) -> Gallery:
        """Read the product's pictures. Raises `ShopUnavailable`, and `_Halt` when the product is gone."""
        rows = self._lists.records("products", "id,id_default_image", [self._product])
        if self._product not in rows:
            raise _Halt(Rejected("PrestaShop does not know this product any more.", GONE, link_lost=True))
        answer = self._http.read(f"images/products/{self._product}", params=self._lists.context or None)
        if answer.status == 404:  # with an empty body: no pictures (recorded)
            return Gallery((), 0)
        ids = pictures.listed(answer)
        return Gallery(ids, number(rows[self._product].get("id_default_image")))

    def stored(self, image: int) -> bytes | None:
        """The bytes that the shop keeps; None for a record without a file. Raises `ShopUnavailable`."""
        answer = self._http.read(
            f"images/products/{self._product}/{image}", params=self._lists.context or None, also={500}
        )
        if answer.status == 200:
            return answer.body
        root = wire.parse(answer.body)
        if root is not None and any(code in {_UNKNOWN_IMAGE, _NO_FILE} for code, _ in wire.errors(root)):
            return None
        raise ShopUnavailable(
            f"The shop answers HTTP {answer.status} for a picture.", hint="The agent tries again by itself."
        )

    def _delete(self, image: int) -> None:
        said = self._said(f"DELETE {image}")
        try:
            answer = self._http.write(
                "DELETE",
                f"images/products/{self._product}/{image}",
                content=b"",
                params=self._lists.context or None,
            )
        except AnswerLost as error:
            raise _Halt(said.unclear(str(error))) from error
        self._steps += 1  # not before: what was certainly not processed is no step
        root = wire.parse(answer.body)
        gone = root is not None and any(code == _UNKNOWN_IMAGE for code, _ in wire.errors(root))
        if answer.status >= 300 and not gone:
            raise _Halt(failure(answer, said))

    def _upload(self, one: Picture, before: set[int]) -> int:
        data = self._data(one.sha)
        said = self._said(f"POST {one.file[:64]}, {len(data)} bytes")
        body, kind = pictures.multipart(one, data)
        try:
            answer = self._http.write(
                "POST",
                f"images/products/{self._product}",
                content=body,
                params=self._lists.context or None,
                headers={"content-type": kind},
            )
        except AnswerLost as error:
            raise _Halt(said.unclear(str(error))) from error
        self._steps += 1  # not before: what was certainly not processed is no step
        record = record_of(answer, "image")
        made = None if record is None else wire.whole((record.findtext("id") or "").strip())
        if made:
            return made
        outcome = failure(answer, said)
        if isinstance(outcome, Rejected):
            self._clear_up(before)
            outcome = Rejected(f"{one.file}: {outcome.reason}", pictures.REFUSED, outcome.exchange)
        raise _Halt(outcome)

    def _clear_up(self, before: set[int]) -> None:
        """Delete what a refused upload left behind; what cannot be deleted now is so at the next delivery."""
        for image in set(self._look().ids) - before:
            if self.stored(image) is None:
                self._delete(image)

    def _make_default(self, image: int) -> None:
        said = self._said(f"PATCH id_default_image {image}")
        inner = f"<product><id>{self._product}</id><id_default_image>{image}</id_default_image></product>"
        try:
            answer = self._http.write(
                "PATCH", "products", content=wire.document(inner), params=self._lists.context or None, headers=_XML
            )
        except AnswerLost as error:
            raise _Halt(said.unclear(str(error))) from error
        self._steps += 1  # not before: what was certainly not processed is no step
        if record_of(answer, "product") is None:
            raise _Halt(failure(answer, said))

    def _said(self, request: str) -> Said:
        return Said(f"images/products/{self._product}: {request}", self._short)
