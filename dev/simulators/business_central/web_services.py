"""The ODataV4 web services: three published pages beside the codeunit (bc-api.md 1.3).

A page's field names get underscores for spaces and lose their dots (bc-api.md section 7).
"""

from __future__ import annotations

from dev.simulators.business_central.edm import Edm
from dev.simulators.business_central.schema import EntitySet, Field, Service

WEB_SERVICES = Service(
    root="ODataV4",
    namespace="NAV",
    companies=EntitySet(
        name="Company",
        entity="NAV.Company",
        caption="Company",
        table="companies",
        key="Name",
        fields=(
            Field("Name", column="name"),
            Field("Display_Name", column="name"),
            Field("Id", Edm.GUID, "id"),
            Field("Evaluation_Company", Edm.BOOLEAN, "isEvaluation"),
            Field("Business_Profile_Id", column="businessProfileId"),
        ),
        is_read_only=True,
    ),
    sets=(
        EntitySet(
            name="Customer",
            entity="NAV.Customer",
            caption="Customer",
            table="customers",
            key="No",
            fields=(
                Field("No", column="no"),
                Field("Name", column="name"),
                Field("Address", column="address"),
                Field("City", column="city"),
                Field("Phone_No", column="phoneNo"),
                Field("E_Mail", column="email"),
                Field("Balance_LCY", Edm.DECIMAL, "balanceDue", is_read_only=True),
            ),
            number_series="CUST",
        ),
        EntitySet(
            name="Item",
            entity="NAV.Item",
            caption="Item",
            table="items",
            key="No",
            fields=(
                Field("No", column="no"),
                Field("Description", column="description"),
                Field("Base_Unit_of_Measure", column="unitOfMeasureCode"),
                Field("Unit_Price", Edm.DECIMAL, "unitPrice"),
                Field("Inventory", Edm.DECIMAL, "inventory", is_read_only=True),
            ),
            number_series="ITEM",
        ),
        EntitySet(
            name="WarehouseShipments",
            entity="NAV.WarehouseShipments",
            caption="Warehouse Shipment Header",
            table="shipments",
            key="No",
            fields=(
                Field("No", column="no"),
                Field("Location_Code", column="locationCode"),
                Field("Status", column="status"),
                Field("Shipment_Date", Edm.DATE, "shipmentDate"),
            ),
            is_read_only=True,
        ),
    ),
    has_codeunits=True,
)
