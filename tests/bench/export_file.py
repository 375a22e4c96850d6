"""A listStock as POHODA writes it: Windows-1250, one line, 60 declarations on the root, about 2 kB a card."""

from __future__ import annotations

import random
from pathlib import Path

_BASE = "http://www.stormware.cz/schema/version_2/"
_SPACES = {
    "rsp": "response",
    "rdc": "documentresponse",
    "typ": "type",
    "lst": "list",
    "lStk": "list_stock",
    "stk": "stock",
}
_MORE = "lAdb inv vch int ord ofr enq vyd pri bal pre vyr pro con adb prm lCon ctg ipm str idp sup prn act bnk sto grs"
_TEXT = (
    "židle stůl křeslo skříň polštář dřevěný kuchyňský přírodní masivní třídílný český výrobek šířka výška hloubka"
    " montáž návod záruka údržba čistění ořech dub buk smrk lak olej potah látka kůže nožičky úložný prostor skladem"
    " do týdne doprava zdarma akce novinka výprodej sleva pro děti zahradní terasa balkon ložnice předsíň"
)
_WORDS = _TEXT.split()
_CARD = (
    '<lStk:stock version="2.0"><stk:stockHeader><stk:id>{id}</stk:id><stk:stockType>card</stk:stockType>'
    "<stk:code>SKU-{id:07d}</stk:code><stk:EAN>859{id:010d}</stk:EAN><stk:PLU>0</stk:PLU><stk:isSales>true</stk:isSales>"
    "<stk:isSerialNumber>false</stk:isSerialNumber><stk:isInternet>true</stk:isInternet><stk:isBatch>false</stk:isBatch>"
    '<stk:purchasingRateVAT value="21">high</stk:purchasingRateVAT>'
    '<stk:sellingRateVAT value="21">high</stk:sellingRateVAT><stk:name>{name}</stk:name><stk:unit>ks</stk:unit>'
    "<stk:storage><typ:id>3</typ:id><typ:ids>ZBOŽÍ/Nábytek</typ:ids></stk:storage>"
    "<stk:typePrice><typ:id>1</typ:id><typ:ids>SK</typ:ids></stk:typePrice>"
    "<stk:weightedPurchasePrice>{price}.4375</stk:weightedPurchasePrice>"
    '<stk:purchasingPrice payVAT="false">{price}</stk:purchasingPrice>'
    '<stk:sellingPrice payVAT="true">{price}.9</stk:sellingPrice><stk:limitMin>0.0</stk:limitMin>'
    "<stk:limitMax>0.0</stk:limitMax><stk:mass>4.2</stk:mass><stk:count>{count}.0</stk:count>"
    "<stk:countReceivedOrders>{orders}.0</stk:countReceivedOrders><stk:reservation>{orders}.0</stk:reservation>"
    "<stk:supplier><typ:id>25</typ:id></stk:supplier><stk:countIssuedOrders>0.0</stk:countIssuedOrders>"
    "<stk:guaranteeType>month</stk:guaranteeType><stk:guarantee>24</stk:guarantee>"
    "<stk:producer>Dřevo &amp; syn</stk:producer><stk:news>true</stk:news><stk:sale>false</stk:sale>"
    "<stk:availability>skladem</stk:availability><stk:description>{short}</stk:description>"
    "<stk:description2>{long}</stk:description2>"
    '<stk:pictures><stk:picture default="true"><stk:id>{id}</stk:id><stk:filepath>obrazek_{id}.jpg</stk:filepath>'
    "<stk:description/><stk:order>1</stk:order></stk:picture></stk:pictures>"
    "<stk:categories><stk:idCategory>{category}</stk:idCategory></stk:categories><stk:markRecord>false</stk:markRecord>"
    "</stk:stockHeader></lStk:stock>"
)


def write_export(file: Path, cards: int, *, changed: float, seed: int) -> None:
    """Write so many cards; of that share of them another count than without. The same seed makes the same cards."""
    texts, news = random.Random(seed), random.Random(seed + 1_000)
    with file.open("wb") as out:
        out.write(_head())
        for number in range(1, cards + 1):
            values = _values(texts, number)
            if news.random() < changed:
                values["count"] = 1000 + number % 97
            out.write(_CARD.format(**values).encode("cp1250"))
        out.write(b"</lStk:listStock></rsp:responsePackItem></rsp:responsePack>")


def _values(texts: random.Random, number: int) -> dict[str, object]:
    words = texts.choices(_WORDS, k=12)
    return {
        "id": number,
        "name": " ".join(words[:3]),
        "price": 100 + number % 900,
        "count": number % 97,
        "orders": number % 5,
        "category": number % 60,
        "short": " ".join(words[3:]) + "! &lt;b&gt;Víte?&lt;/b&gt;",
        "long": "&lt;p&gt;" + " ".join(words * (1 + number % 3)) + "&lt;/p&gt;&#13;\n",
    }


def _head() -> bytes:
    spaces = "".join(f' xmlns:{prefix}="{_BASE}{name}.xsd"' for prefix, name in _SPACES.items())
    spaces += "".join(f' xmlns:{prefix}="{_BASE}{prefix}_of_no_use.xsd"' for prefix in _MORE.split())
    return (
        '<?xml version="1.0" encoding="Windows-1250"?>\n<rsp:responsePack version="2.0" id="001" state="ok"'
        f' programVersion="14107.3 SQL (5.5.2026)" ico="12345678" note="Export zásob"{spaces}>'
        '<rsp:responsePackItem version="2.0" id="001" state="ok"><lStk:listStock version="2.0"'
        ' dateTimeStamp="2026-11-20T08:00:01" dateValidFrom="2026-11-20" state="ok">'
    ).encode("cp1250")
