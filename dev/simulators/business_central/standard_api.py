"""The standard API v2.0: companies, customers, items and sales orders (bc-api.md 1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev.simulators.business_central.edm import Edm
from dev.simulators.business_central.errors import al_error
from dev.simulators.business_central.schema import EntitySet, Field, Lines, Service

if TYPE_CHECKING:
    from dev.simulators.business_central.database import Database, Row

ID = Field("id", Edm.GUID, is_read_only=True)
LAST_MODIFIED = Field("lastModifiedDateTime", Edm.DATE_TIME, is_read_only=True)


def ship_and_invoice(database: Database, order: Row) -> None:
    """Post a sales order: it is gone afterwards."""
    lines = database.select("salesOrderLines", documentId=order["id"])
    if not lines:
        raise al_error("There is nothing to post.")
    for line in lines:
        database.delete("salesOrderLines", line)
    database.delete("salesOrders", order)


COMPANIES = EntitySet(
    name="companies",
    entity="Microsoft.NAV.company",
    caption="Company",
    table="companies",
    key="id",
    fields=(
        ID,
        Field("systemVersion"),
        Field("timestamp", Edm.INT32, "version"),
        Field("name"),
        Field("displayName", column="name"),
        Field("businessProfileId"),
        Field("systemCreatedAt", Edm.DATE_TIME, "lastModifiedDateTime"),
        Field("systemModifiedAt", Edm.DATE_TIME, "lastModifiedDateTime"),
    ),
    is_read_only=True,
)

CUSTOMERS = EntitySet(
    name="customers",
    entity="Microsoft.NAV.customer",
    caption="Customer",
    table="customers",
    key="id",
    fields=(
        ID,
        Field("number", column="no"),
        Field("displayName", column="name"),
        Field("addressLine1", column="address"),
        Field("city"),
        Field("country"),
        Field("phoneNumber", column="phoneNo"),
        Field("email"),
        Field("taxLiable", Edm.BOOLEAN),
        Field("balanceDue", Edm.DECIMAL, is_read_only=True),
        LAST_MODIFIED,
    ),
    number_series="CUST",
)

ITEMS = EntitySet(
    name="items",
    entity="Microsoft.NAV.item",
    caption="Item",
    table="items",
    key="id",
    fields=(
        ID,
        Field("number", column="no"),
        Field("displayName", column="description"),
        Field("type"),
        Field("baseUnitOfMeasureCode", column="unitOfMeasureCode"),
        Field("unitPrice", Edm.DECIMAL),
        Field("inventory", Edm.DECIMAL, is_read_only=True),
        Field("blocked", Edm.BOOLEAN),
        LAST_MODIFIED,
    ),
    number_series="ITEM",
    has_picture=True,
)

SALES_ORDER_LINES = EntitySet(
    name="salesOrderLines",
    entity="Microsoft.NAV.salesOrderLine",
    caption="Sales Line",
    table="salesOrderLines",
    key="id",
    fields=(
        ID,
        Field("documentId", Edm.GUID, is_read_only=True),
        Field("sequence", Edm.INT32, is_read_only=True),
        Field("lineType"),
        Field("lineObjectNumber", related="items"),
        Field("description"),
        Field("quantity", Edm.DECIMAL),
        Field("unitPrice", Edm.DECIMAL),
        LAST_MODIFIED,
    ),
    sequence="sequence",
)

SALES_ORDERS = EntitySet(
    name="salesOrders",
    entity="Microsoft.NAV.salesOrder",
    caption="Sales Header",
    table="salesOrders",
    key="id",
    fields=(
        ID,
        Field("number", column="no"),
        Field("externalDocumentNumber"),
        Field("orderDate", Edm.DATE),
        Field("customerNumber", related="customers"),
        Field("currencyCode"),
        LAST_MODIFIED,
    ),
    number_series="S-ORD",
    lines=Lines(SALES_ORDER_LINES, "documentId", "id"),
    actions={"shipAndInvoice": ship_and_invoice},
)

STANDARD_API = Service(
    root="api/v2.0",
    namespace="Microsoft.NAV",
    companies=COMPANIES,
    sets=(CUSTOMERS, ITEMS, SALES_ORDERS),
)
