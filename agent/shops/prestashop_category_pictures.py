"""The one picture of a category: ``images/categories/{id}``.

* A second POST is refused with code 65 (recorded), and then the picture is replaced by a POST with ``ps_method=PUT``
  (recorded of products). So an upload that is made twice leaves one picture.
* A success answers with the picture itself, re-encoded (recorded): its hash is not that of the upload, and what was
  uploaded stands in the link. A category without a picture answers 500 with code 61 (recorded of products; for all
  kinds in ``WebserviceSpecificManagementImages``).
"""

from __future__ import annotations

from collections.abc import Callable

from agent.errors import ShopUnavailable, Unusable
from agent.events import Rejected, Value
from agent.shops import prestashop_pictures as pictures
from agent.shops import prestashop_xml as wire
from agent.shops.http import Answer, ShopHttp
from agent.shops.prestashop_answers import failure
from agent.shops.prestashop_calls import Calls, Stop
from agent.shops.prestashop_lists import Lists
from agent.shops.prestashop_pictures import Picture

_THERE_ALREADY = 65
_NO_FILE = 61


class CategoryPictures:
    """Reads and writes the pictures; ``data`` gives the bytes of one by its sha256."""

    def __init__(self, http: ShopHttp, lists: Lists, data: Callable[[str], bytes]) -> None:
        self._http = http
        self._context = lists.context
        self._data = data

    def wanted(self, value: Value) -> Picture | None:
        """Read ``{"sha", "file"}`` and see that it can be sent; None for no picture. Raises `Unusable`."""
        if value is None:
            return None
        (one,) = pictures.wanted([value])
        try:
            pictures.kind_of(one, self._data(one.sha))
        except Unusable as problem:
            raise Unusable("picture", str(problem), hint=problem.hint) from problem
        return one

    def there(self, category: int) -> bool:
        """Tell whether the category has a picture, whosever. Raises `ShopUnavailable`."""
        answer = self._http.read(f"images/categories/{category}", params=self._context or None, also={500})
        if answer.status == 200:
            return True
        if answer.status == 404 or _NO_FILE in _codes(answer):
            return False
        raise ShopUnavailable(
            f"The shop answers HTTP {answer.status} for the picture of a category.",
            hint="The agent tries again by itself.",
        )

    def put(self, calls: Calls, category: int, one: Picture) -> None:
        """Give the category this picture instead of any other. Raises `Stop`, `ShopUnavailable` when not sent."""
        body, kind = pictures.multipart(one, self._data(one.sha))
        path, headers = f"images/categories/{category}", {"content-type": kind}
        said = calls.said(f"POST {path}: {one.file[:64]}, {len(body)} bytes")
        answer = calls.send("POST", path, said=said, content=body, headers=headers)
        if answer.status == 400 and _THERE_ALREADY in _codes(answer):
            params = {"ps_method": "PUT"}
            answer = calls.send("POST", path, said=said, content=body, headers=headers, params=params)
        if answer.status == 200 and answer.headers.get("content-type", "").startswith("image/"):
            return
        outcome = failure(answer, said)
        if isinstance(outcome, Rejected):
            outcome = Rejected(f"picture {one.file}: {outcome.reason}", pictures.REFUSED, outcome.exchange)
        raise Stop(outcome)

    def drop(self, calls: Calls, category: int) -> None:
        """Take the picture away, if there is one. Raises as `put`."""
        if self.there(category):
            path = f"images/categories/{category}"
            calls.delete(path, calls.said(f"DELETE {path}"))


def _codes(answer: Answer) -> set[int | None]:
    root = wire.parse(answer.body)
    return set() if root is None else {code for code, _ in wire.errors(root)}
