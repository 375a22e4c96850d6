"""Requests about pictures: list, upload, download, replace, delete. What a picture is, `images` says.

A product has many; a category, a manufacturer and a supplier have one each. Recorded of those: the answer to an upload
is the stored picture; a second upload is error 65. From the shop's public source: it is replaced by POST with
``ps_method=PUT``, and errors 61, 63 and 64 say that there is none. Chosen: a picture of a thing that does not exist is
refused (the shop would write the file).
"""

from __future__ import annotations

from typing import NamedTuple

from agent.demo.prestashop import images
from agent.demo.prestashop.errors import WebserviceError
from agent.demo.prestashop.images import Picture, Reply
from agent.demo.prestashop.render import Look
from agent.demo.prestashop.schema import whole
from agent.demo.prestashop.store import Store

_WITH_A_FACE = ("categories", "manufacturers", "suppliers")
_XML = "text/xml;charset=utf-8"


class Asked(NamedTuple):
    """A request: method (``plain PUT`` for one whose multipart PHP does not read), path after ``/images``, body."""

    method: str
    path: tuple[str, ...]
    content_type: str
    body: bytes


def serve(store: Store, look: Look, asked: Asked, *, record_only: bool = False) -> Reply:
    """Answer. Raises `WebserviceError`. ``record_only``: PHP dies between the record of an upload and its file."""
    if asked.path[:1] not in {("products",), *((one,) for one in _WITH_A_FACE)} or len(asked.path) < 2:
        raise WebserviceError(400, 27, "This fake keeps pictures of products, categories, manufacturers and suppliers")
    if asked.method == "plain PUT":
        raise WebserviceError(400, 76, 'Please set an "image" parameter with image data for value')
    if asked.path[0] != "products":
        return _face(store, asked, record_only=record_only)
    product = whole(asked.path[1])
    if len(asked.path) > 2:
        return _one(store, asked, product, whole(asked.path[2]))
    if asked.method == "POST":
        return _upload(store, look, asked, product, record_only=record_only)
    pictures = store.shelf.of(product)
    return Reply(200, _XML, images.list_xml(look, product, pictures)) if pictures else Reply(404)


def _face(store: Store, asked: Asked, *, record_only: bool) -> Reply:
    key = (asked.path[0], whole(asked.path[1]))
    there = store.faces.get(key)
    if asked.method == "POST":
        if there is not None:
            raise WebserviceError(400, 65, "This image already exists. To modify it, please use the PUT method")
    elif there is None:
        number = {"PUT": 63, "DELETE": 64}.get(asked.method, 61)
        raise WebserviceError(500, number, "This image does not exist on disk")
    if asked.method == "DELETE":
        del store.faces[key]
        return Reply(200)
    if there is None or asked.method == "PUT":
        sent = images.upload_of(asked.content_type, asked.body)
        images.check_name(sent)
        if key[1] not in store.tables[key[0]].rows:
            raise WebserviceError(400, 76, f"There is no {key[0]} {key[1]}")
        if record_only:
            return Reply(500)
        there = Picture(0, 0, 1, cover=True, data=None)
        images.write(there, sent)
        store.faces[key] = there
    return Reply(200, there.kind, _stored(there))


def _upload(store: Store, look: Look, asked: Asked, product: int, *, record_only: bool) -> Reply:
    sent = images.upload_of(asked.content_type, asked.body)
    images.check_name(sent)
    if product not in store.tables["products"].rows:
        raise WebserviceError(400, 76, f"Product {product} does not exist")
    picture = store.shelf.add(product)
    if record_only:
        return Reply(500)
    images.write(picture, sent)
    store.on_upload(picture.id, product, sent.data)
    return Reply(200, _XML, images.upload_xml(look, picture))


def _one(store: Store, asked: Asked, product: int, number: int) -> Reply:
    picture = store.shelf.pictures.get(number)
    if picture is None or picture.product != product:
        raise WebserviceError(400, 57, "This image id does not exist")
    if asked.method == "DELETE":
        store.shelf.remove(number)
        return Reply(200)
    if asked.method == "PUT":
        _stored(picture)
        images.write(picture, images.upload_of(asked.content_type, asked.body))
    return Reply(200, picture.kind, _stored(picture))


def _stored(picture: Picture) -> bytes:
    if picture.data is None:
        raise WebserviceError(500, 61, "This image does not exist on disk")
    return picture.data
