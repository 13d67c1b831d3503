"""What every company holds at the start."""

from __future__ import annotations

from decimal import Decimal
from itertools import count, product
from typing import TYPE_CHECKING

from dev.simulators.business_central.database import NUMBER_SERIES

if TYPE_CHECKING:
    from dev.simulators.business_central.database import Database

LAST_NUMBERS = {
    "CUST": "C00000",
    "ITEM": "I00000",
    "S-ORD": "S-ORD101000",
    "S-SHPT": "SS102000",
}
TRADES = ("Coffee", "Möbel", "Bicycle", "Garden", "Toy & Game")
CITIES = ("Atlanta", "Chicago", "Denver", "Malmö", "Seattle", "Zürich")
ITEMS = (
    ("1896-S", "ATHENS Desk", "1000.8"),
    ("1900-S", "PARIS Guest Chair, black", "192.8"),
    ("1906-S", "ATHENS Mobile Pedestal", "281.4"),
    ("1908-S", "LONDON Swivel Chair, blue", "190.1"),
    ("1920-S", "ANTWERP Conference Table", "420.4"),
    ("1925-W", "Conference Bundle 1-6", "122.5"),
    ("1928-S", "AMSTERDAM Lamp", "54.9"),
    ("1936-S", "BERLIN Guest Chair, yellow", "192.8"),
)
# Each shipment with its picks, each pick with its lines: item, quantity, bin.
SHIPMENTS: dict[str, dict[str, tuple[tuple[str, int, str], ...]]] = {
    "SH000001": {"PI000001": (("1896-S", 3, "A-01-1"), ("1928-S", 12, "A-02-4"))},
    "SH000002": {"PI000002": (("1900-S", 6, "A-01-3"),), "PI000003": (("1920-S", 1, "B-11-0"),)},
    "SH000003": {"PI000004": (("1936-S", 4, "A-03-2"), ("1908-S", 4, "A-03-3"))},
    "SH000004": {"PI000005": (("1906-S", 2, "B-02-1"),)},
}
LOCATION = "WHITE"
DAY = "2026-09-01"


def fill(database: Database) -> None:
    """Write the sample records into an empty database."""
    with database.transaction():
        for code, number in LAST_NUMBERS.items():
            database.insert(NUMBER_SERIES, {"code": code, "lastNumber": number})
        _add_master_data(database)
        _add_sales_order(database)
        _add_warehouse_documents(database)


def _add_master_data(database: Database) -> None:
    for index, (trade, city) in enumerate(product(TRADES, CITIES), start=1):
        database.insert(
            "customers",
            {
                "no": f"{index * 10000}",
                "name": f"{trade} {city}",
                "address": f"{index} Market Street",
                "city": city,
                "country": "US",
                "phoneNo": f"+1 425 555 {index:04}",
                "email": f"customer{index}@cronus.example",
                "taxLiable": index % 2 == 0,
                "balanceDue": Decimal(index) * Decimal("120.05"),
            },
        )
    for number, description, price in ITEMS:
        database.insert(
            "items",
            {
                "no": number,
                "description": description,
                "type": "Inventory",
                "unitOfMeasureCode": "PCS",
                "unitPrice": Decimal(price),
                "inventory": 100,
            },
        )


def _add_sales_order(database: Database) -> None:
    order = database.insert(
        "salesOrders",
        {"no": database.next_number("S-ORD"), "orderDate": DAY, "customerNumber": "10000"},
    )
    database.insert(
        "salesOrderLines",
        {
            "documentId": order["id"],
            "sequence": 10000,
            "lineType": "Item",
            "lineObjectNumber": "1896-S",
            "description": "ATHENS Desk",
            "quantity": 3,
            "unitPrice": Decimal("1000.8"),
        },
    )


def _add_warehouse_documents(database: Database) -> None:
    descriptions = {number: description for number, description, _ in ITEMS}
    for shipment_no, picks in SHIPMENTS.items():
        database.insert(
            "shipments",
            {
                "no": shipment_no,
                "locationCode": LOCATION,
                "status": "Released",
                "shipmentDate": DAY,
            },
        )
        line_numbers = count(10000, 10000)
        for pick_no, lines in picks.items():
            database.insert("picks", {"no": pick_no, "shipmentNo": shipment_no, "status": "Open"})
            for index, (item, quantity, bin_code) in enumerate(lines, start=1):
                line_no = next(line_numbers)
                common = {
                    "itemNo": item,
                    "description": descriptions[item],
                    "quantity": quantity,
                    "unitOfMeasureCode": "PCS",
                }
                database.insert(
                    "shipmentLines",
                    {"shipmentNo": shipment_no, "lineNo": line_no, "qtyPicked": 0, **common},
                )
                database.insert(
                    "pickLines",
                    {
                        "pickNo": pick_no,
                        "lineNo": index * 10000,
                        "shipmentNo": shipment_no,
                        "shipmentLineNo": line_no,
                        "binCode": bin_code,
                        "qtyToHandle": 0,
                        "qtyHandled": 0,
                        **common,
                    },
                )
