"""Made-up records for a new portal: the same for the same seed, spread over the year before yesterday."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from antiphon.sandbox.hubspot import moments
from antiphon.sandbox.hubspot.catalogue import PIPELINES, STANDARD
from antiphon.sandbox.hubspot.portal import Portal

_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Fátima", "Grace", "Hiroshi", "Ines", "João", "Keiko", "Łukasz",
          "Mei", "Noor", "Oluwaseun", "Priya", "Quentin", "Rosa", "Siobhán", "Tariq")  # fmt: skip
_LAST = ("Abe", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen", "Kaya",
         "Lindqvist", "Müller", "Nakamura", "O'Brien", "Park", "Quispe", "Rossi", "Silva", "Tanaka")  # fmt: skip
_CITIES = (("Berlin", "Germany"), ("Kyōto", "Japan"), ("São Paulo", "Brazil"), ("Boston", "United States"),
           ("Lyon", "France"), ("Kraków", "Poland"), ("Nairobi", "Kenya"))  # fmt: skip
_TITLES = ("Accountant", "Engineer", "Head of Sales", "Buyer, Northern Europe", 'Director "EMEA"', "Owner")
_TRADES = ("Bakery", "Logistics", "Optics", "Robotics", "Timber", "Textiles")
_STAGES = ("subscriber", "lead", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
_YEAR = 364 * moments.DAY

Values = dict[str, str]
Maker = Callable[[random.Random, int, Portal], Values]


def _contact(rng: random.Random, n: int, portal: Portal) -> Values:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    city, country = rng.choice(_CITIES)
    values = {
        "email": f"person{n:05d}@example.{rng.choice(('com', 'org', 'net'))}",
        "firstname": first,
        "lastname": last,
        "city": city,
        "country": country,
        "lifecyclestage": rng.choice(_STAGES),
        "hs_analytics_source": rng.choice(("DIRECT_TRAFFIC", "OFFLINE", "REFERRALS")),
    }
    if rng.random() < 0.8:
        values["phone"] = f"+49 30 {rng.randrange(10**6, 10**7)}"
        values["jobtitle"] = rng.choice(_TITLES)
    if rng.random() < 0.4:
        values["hubspot_owner_id"] = str(rng.choice(portal.owners[:3]).id)
        values["hs_lead_status"] = rng.choice(("NEW", "OPEN", "CONNECTED"))
        values["hs_buying_role"] = rng.choice(("CHAMPION", "BUDGET_HOLDER;DECISION_MAKER"))
        values["hubspotscore"] = str(rng.randrange(100))
        values["hs_email_optout"] = rng.choice(("true", "false"))
    return values


def _company(rng: random.Random, n: int, _portal: Portal) -> Values:
    name = f"{rng.choice(_LAST)} {rng.choice(_TRADES)}"
    city, country = rng.choice(_CITIES)
    return {
        "name": name,
        "domain": f"company{n:05d}.example",
        "city": city,
        "country": country,
        "numberofemployees": str(rng.randrange(1, 5000)),
        "annualrevenue": f"{rng.randrange(10_000, 9_000_000)}.{rng.randrange(100):02d}",
        "industry": rng.choice(("BANKING", "RETAIL", "COMPUTER_SOFTWARE")),
        "lifecyclestage": rng.choice(_STAGES),
        "is_public": rng.choice(("true", "false")),
    }


def _deal(rng: random.Random, n: int, portal: Portal) -> Values:
    pipeline, _, stages = rng.choice(PIPELINES["deals"])
    return {
        "dealname": f"Deal {n}: {rng.choice(_TRADES)}",
        "pipeline": pipeline,
        "dealstage": rng.choice(stages)[0],
        "amount": f"{rng.randrange(100, 200_000)}.{rng.randrange(100):02d}",
        "closedate": moments.iso(_anchor() + rng.randrange(-200, 200) * moments.DAY),
        "dealtype": rng.choice(("newbusiness", "existingbusiness")),
        "hubspot_owner_id": str(rng.choice(portal.owners[:3]).id),
    }


def _ticket(rng: random.Random, n: int, _portal: Portal) -> Values:
    return {
        "subject": f"Ticket {n}",
        "content": "It does not work.\nNot on “Tuesdays”, anyway.",
        "hs_pipeline": "0",
        "hs_pipeline_stage": rng.choice("1234"),
        "hs_ticket_priority": rng.choice(("LOW", "MEDIUM", "HIGH")),
    }


def _product(rng: random.Random, n: int, _portal: Portal) -> Values:
    return {"name": f"Product {n}", "price": f"{rng.randrange(1, 900)}.90", "hs_sku": f"SKU-{n:05d}"}


def _line_item(rng: random.Random, n: int, _portal: Portal) -> Values:
    price, quantity = rng.randrange(1, 900), rng.randrange(1, 20)
    item = {"name": f"Product {n}", "quantity": str(quantity), "price": str(price), "amount": str(price * quantity)}
    return item | {"hs_line_item_currency_code": "EUR"}


def _engagement(**more: str) -> Maker:
    def make(rng: random.Random, n: int, _portal: Portal) -> Values:
        at = _anchor() - rng.randrange(moments.DAY, _YEAR)
        return {"hs_timestamp": moments.iso(at)} | {name: text.format(n=n) for name, text in more.items()}

    return make


MAKERS: dict[str, Maker] = {
    "contacts": _contact,
    "companies": _company,
    "deals": _deal,
    "tickets": _ticket,
    "products": _product,
    "line_items": _line_item,
    "notes": _engagement(hs_note_body="<p>Note {n}</p>"),
    "meetings": _engagement(hs_meeting_title="Meeting {n}", hs_meeting_outcome="COMPLETED"),
    "calls": _engagement(hs_call_title="Call {n}", hs_call_direction="OUTBOUND", hs_call_duration="61000"),
    "emails": _engagement(hs_email_subject="Email {n}", hs_email_direction="EMAIL", hs_email_status="SENT"),
    "tasks": _engagement(hs_task_subject="Task {n}", hs_task_status="NOT_STARTED", hs_task_priority="NONE"),
}


def _anchor() -> int:
    """The last midnight UTC, so that two starts on one day agree."""
    return moments.now() // moments.DAY * moments.DAY


def sow(portal: Portal, records: int, counts: Mapping[str, int], seed: int) -> None:
    """Fill the portal: `records` contacts and fewer of the rest, or as `counts` says by object."""
    latest = _anchor() - moments.DAY
    for of in STANDARD:
        store = portal.stores[of.name]
        rng = random.Random(f"{seed}:{of.name}")
        wanted = counts.get(of.name, round(records * of.share))
        births = sorted(latest - rng.randrange(_YEAR) for _ in range(wanted))
        for n, created in enumerate(births):
            updated = created + rng.randrange(latest - created + 1)
            store.add(MAKERS[of.name](rng, n, portal), created=created, updated=updated)
    _associate(portal, random.Random(f"{seed}:associations"))


def _associate(portal: Portal, rng: random.Random) -> None:
    links, ids = portal.associations, {name: store.live for name, store in portal.stores.items()}
    if ids["companies"]:
        for contact in ids["contacts"]:
            if rng.random() < 0.6:
                links.link(("contacts", "companies"), contact, rng.choice(ids["companies"]), [1])
    for name, targets in (
        ("deals", ("contacts", "companies")),
        ("tickets", ("contacts",)),
        ("line_items", ("deals",)),
        ("notes", ("contacts",)),
        ("calls", ("contacts",)),
        ("emails", ("contacts",)),
        ("meetings", ("contacts",)),
        ("tasks", ("contacts",)),
    ):
        for one in ids[name]:
            for target in targets:
                if ids[target]:
                    links.link((name, target), one, rng.choice(ids[target]))
