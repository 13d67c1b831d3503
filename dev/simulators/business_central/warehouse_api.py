"""A custom API of the sample company: warehouse shipments, read-only (bc-api.md 1.2)."""

from __future__ import annotations

from dev.simulators.business_central.edm import Edm
from dev.simulators.business_central.schema import EntitySet, Field, Lines, Service
from dev.simulators.business_central.standard_api import COMPANIES, ID, LAST_MODIFIED

SHIPMENT_LINES = EntitySet(
    name="shipmentLines",
    entity="Microsoft.NAV.shipmentLine",
    caption="Warehouse Shipment Line",
    table="shipmentLines",
    key="id",
    fields=(
        ID,
        Field("shipmentNumber", column="shipmentNo"),
        Field("lineNumber", Edm.INT32, "lineNo"),
        Field("itemNumber", column="itemNo"),
        Field("description"),
        Field("quantity", Edm.DECIMAL),
        Field("quantityPicked", Edm.DECIMAL, "qtyPicked"),
        Field("unitOfMeasureCode"),
    ),
    is_read_only=True,
)

SHIPMENTS = EntitySet(
    name="shipments",
    entity="Microsoft.NAV.shipment",
    caption="Warehouse Shipment Header",
    table="shipments",
    key="id",
    fields=(
        ID,
        Field("number", column="no"),
        Field("locationCode"),
        Field("status"),
        Field("shipmentDate", Edm.DATE),
        LAST_MODIFIED,
    ),
    is_read_only=True,
    lines=Lines(SHIPMENT_LINES, "shipmentNo", "no"),
)

WAREHOUSE_API = Service(
    root="api/cronus/warehouse/v1.0",
    namespace="Microsoft.NAV",
    companies=COMPANIES,
    sets=(SHIPMENTS,),
)
