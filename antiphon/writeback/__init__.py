"""How a set of records becomes the right calls: fields mapped, records matched, the fewest requests, a ledger of them."""
