"""Expand: analysed products and people -> one row per look, with its id; also for named looks of several garments."""
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from tryon.plan import look_id
from tryon.stages.contract import STATE

GARMENT = pa.struct([("uri", pa.string()), ("sha256", pa.string()), ("key", pa.string())])
LOOK = pa.schema([
    ("look_id", pa.string()), ("person_id", pa.string()), ("product_ids", pa.list_(pa.string())), ("person", GARMENT),
    ("garments", pa.list_(GARMENT)), ("carried", pa.string()), *STATE,
])


@dataclass
class Expand:
    """``people``: rows of stages.fetch.INDEX in table order. ``render_hash``: see tryon.config.render_hash."""

    people: list[dict]
    render_hash: str
    limit: int = 0

    def products(self, rows: list[dict]) -> list[dict]:
        """Every product on every person, product by product; the first ``limit`` of all looks when it is set."""
        out = []
        for product in rows:
            for j, person in enumerate(self.people):
                if not self.limit or product["position"] * len(self.people) + j < self.limit:
                    out.append(self._look(person, [product], product["carried"], {}))
        return out

    def looks(self, rows: list[dict], products: dict[str, dict]) -> list[dict]:
        """Named looks; ``products`` maps the ids they use to rows of INDEX."""
        people = {p["id"]: p for p in reversed(self.people)}
        out = []
        for row in rows:
            problem = {k: row[k] for k in ("reason", "detail") if row["reason"]}
            missing = [i for i in row["product_ids"] if i not in products]
            if not problem and row["person_id"] not in people:
                problem = {"reason": "unknown_person", "detail": f"the people table has no person {row['person_id']!r}"}
            if not problem and missing:
                problem = {"reason": "unknown_product", "detail": f"the catalogue has no product {missing[0]!r}"}
            nobody = lambda id: {"id": id, "uri": "", "sha256": None, "key": None, "reason": "", "carried": "{}", "position": row["position"]}
            garments = [products.get(i) or nobody(i) for i in row["product_ids"]]
            carried = {}
            for g in garments:
                for k, v in json.loads(g["carried"]).items():
                    carried[k] = f"{carried[k]}|{v}" if k in carried else v
            # Two rows that lack an id may be alike in all they have; each is a look, so their place tells them apart.
            place = [f"row {row['position']}"] if row["reason"] else []
            out.append(self._look(people.get(row["person_id"]) or nobody(row["person_id"]), garments,
                                  json.dumps(carried | json.loads(row["carried"])), problem, place))
        return out

    def _look(self, person: dict, garments: list[dict], carried: str, problem: dict, place: Sequence[str] = ()) -> dict:
        sources = [person, *garments]
        failed = next((s for s in sources if s["reason"]), None)
        if failed and not problem:
            which = "person" if failed is person else "product"
            problem = {k: failed.get(k) for k in ("reason", "detail", "traceback")}
            problem["detail"] = f"{which} {failed['id']}: {problem['detail']}"
        brief = lambda s: {k: s[k] for k in ("uri", "sha256", "key")}
        ids = [g["id"] for g in garments]
        return {"look_id": look_id(ids, person["id"], [*map(_identity, sources), *place], self.render_hash),
                "person_id": person["id"], "product_ids": ids,
                "person": brief(person), "garments": [brief(g) for g in garments], "carried": carried,
                "reason": "", "detail": "", "traceback": "", **problem}


def _identity(source: dict) -> str:
    """sha256 of the bytes, with the kind the table gives; of the URI when they could not be read; rows refused before
    that also by their place."""
    if source["sha256"]:
        return " ".join(filter(None, (source["sha256"], source.get("category"), source.get("subcategory"))))
    place = f" row {source['position']}" if source["reason"] in ("duplicate_id", "bad_row") else ""
    return hashlib.sha256((source["uri"] + place).encode("utf-8", "surrogatepass")).hexdigest()
