"""The main job, step by step, over HTTP alone: what the product does, for all to see."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev import sample
from dev.demo.browser import Browser
from dev.demo.gateway_client import TIMEOUT_SECONDS, GatewayClient, http_session
from dev.demo.story import Story
from dev.demo.warehouse_definitions import CUSTOMERS, ENDPOINTS, INTEGRATION, integration
from dev.stack.ports import url

if TYPE_CHECKING:
    from dev.demo.narration import Narrator
    from dev.stack.ports import PortBlock

SHIPMENT_NO = "SH000001"
PICK_NO = "PI000001"

INTRODUCTION = """
    Business Central asks its callers for an OAuth token, a tenant, an environment, a company and a
    long URL. A web shop, a scanner or a Power Automate flow should need none of that. With the
    gateway, an administrator describes Business Central once and gives every call a name; callers
    then send a name, a key and their JSON.
"""
READING_AID = """
    The gateway below is the real app. Microsoft's services around it (sign-in, Business Central,
    Key Vault, storage) are played by simulators on this machine. Lines with > are sent, lines
    with < come back; long answers are shortened.
"""


def walk(gateway: str, ports: PortBlock, narrator: Narrator) -> None:
    """Tell the story of one warehouse shipment; DevError names the step that went wrong."""
    story = Story(
        narrator,
        administrator=GatewayClient(gateway, key=sample.HOST_KEY, key_name="the host key"),
        caller=GatewayClient(gateway, key=sample.INVOKE_KEY, key_name="the invoke key"),
    )
    narrator.start_section("What you are about to see")
    narrator.explain(INTRODUCTION)
    narrator.say()
    narrator.explain(READING_AID)
    _describe_business_central(story, ports)
    _name_the_calls(story)
    _sign_in(story)
    _list_shipments(story, ports)
    _pick(story)
    posted_no = _post_shipment(story)
    _add_an_endpoint(story)
    _make_a_mistake(story)
    narrator.conclude(f"Done: shipment {SHIPMENT_NO} is posted as {posted_no}.")


def _describe_business_central(story: Story, ports: PortBlock) -> None:
    story.narrator.start_step(
        "Describe Business Central, once",
        """An administrator stores an "integration": where Business Central is, which company, and
        the app registration to sign in with. The secret goes to Key Vault and never comes back;
        the answer only says that it is there. (For the real service, leave out the three URLs:
        Microsoft's are the default.)""",
    )
    path = f"integrations/{INTEGRATION}"
    only = ("code", "has_client_secret", "status")
    stored = story.manage("PUT", path, integration(ports), only=only)
    story.require(stored["has_client_secret"], "the integration has a secret")
    story.require("client_secret" not in stored, "the secret is not in the answer")


def _name_the_calls(story: Story) -> None:
    story.narrator.start_step(
        "Give the calls names",
        """An "endpoint" is a named call: here the procedures of a codeunit that a warehouse works
        with. The first one in full:""",
    )
    path = f"integrations/{INTEGRATION}/endpoints"
    first, *others = ENDPOINTS
    story.manage("PUT", f"{path}/{first['code']}", first, only=("code", "is_enabled"))
    for endpoint in others:
        story.store_quietly(f"{path}/{endpoint['code']}", endpoint)
    story.narrator.say()
    story.narrator.say("  And in the same way:")
    for endpoint in others:
        story.narrator.say(f"    {endpoint['code']:<20} {endpoint['description']}")


def _sign_in(story: Story) -> None:
    story.narrator.start_step(
        "Sign in, once",
        """A person signs in on Microsoft's page. The gateway keeps the tokens in Key Vault and
        renews them by itself from now on.""",
    )
    started = story.manage("GET", f"authorize/{INTEGRATION}", only=("authorization_url",))
    browser = Browser(story.administrator.cookies)
    page = browser.open(started["authorization_url"])
    story.narrator.say()
    story.narrator.say(f"  {sample.USER_NAME} opens that address and reads:")
    story.narrator.show_page(page.texts)
    story.require("Sign in" in page.buttons, "the page has a button to sign in")
    story.narrator.say('  She presses "Sign in", and the browser comes back to the gateway:')
    result = browser.press(page, "Sign in")
    story.narrator.show_page(result.texts)
    arrival = (result.status, urlsplit(result.url).path)
    story.require(arrival == (200, "/api/callback"), "the browser is back at the gateway")
    only = ("status", "signed_in_as", "access_token", "next_refresh_on")
    status = story.manage("GET", f"integrations/{INTEGRATION}/status", only=only)
    story.require(status["status"] == "authorized", "the integration is authorized")


def _list_shipments(story: Story, ports: PortBlock) -> None:
    story.narrator.start_step(
        "Call by name: which shipments are open?",
        """This is all that a flow, an app or a scanner ever does. No token, no tenant, no company,
        no Business Central URL; and a key that opens nothing but these calls.""",
    )
    shipments = story.invoke(f"{INTEGRATION}/GET_WHSE_SHPT_LINES", {})["value"]
    numbers = [shipment["no"] for shipment in shipments]
    story.require(SHIPMENT_NO in numbers, f"shipment {SHIPMENT_NO} is open")

    service = url(ports.business_central)
    log = http_session().get(f"{service}/_control/log", timeout=TIMEOUT_SECONDS).json()
    story.narrator.say()
    story.narrator.say("  And this is what the gateway sent to Business Central for it:")
    arrived = log[-1]
    token = f"authorization: {arrived['authorization_scheme']} (the token of {sample.USER_NAME})"
    story.narrator.show_request(arrived["method"], service + arrived["target"], token)


def _pick(story: Story) -> None:
    story.narrator.start_step(
        f"Read pick {PICK_NO}",
        "Somebody has to fetch the goods of the first shipment. Its pick says what and where.",
    )
    pick = story.invoke(f"{INTEGRATION}/GET_WHSE_PICK", {"pickNo": PICK_NO})["value"]
    story.require(pick["shipmentNo"] == SHIPMENT_NO, "the pick belongs to the shipment")

    story.narrator.start_step(
        "Report what was taken",
        """The codeunit wants the lines as JSON inside a text. The gateway wraps them
        (encode_parameters) and unwraps the answer (decode_value), so that callers need not.""",
    )
    taken = [{"lineNo": line["lineNo"], "qtyToHandle": line["quantity"]} for line in pick["lines"]]
    update = {"pickNo": PICK_NO, "linesJson": taken}
    updated = story.invoke(f"{INTEGRATION}/UPDATE_WHSE_PICK", update)["value"]
    story.require(
        all(line["qtyToHandle"] == line["quantity"] for line in updated["lines"]),
        "every line is to be handled in full",
    )

    story.narrator.start_step("Register the pick", "The goods are on their way to the gate.")
    registered = story.invoke(f"{INTEGRATION}/REGISTER_WHSE_PICK", {"pickNo": PICK_NO})["value"]
    story.require(registered["status"] == "Registered", "the pick is registered")


def _post_shipment(story: Story) -> str:
    story.narrator.start_step(
        f"Post shipment {SHIPMENT_NO}", "Business Central books it and gives it its final number."
    )
    body = {"shipmentNo": SHIPMENT_NO}
    posted = story.invoke(f"{INTEGRATION}/POST_WHSE_SHPT", body)["value"]
    story.require(posted["postedShipmentNo"], "the posted shipment has a number")
    return str(posted["postedShipmentNo"])


def _add_an_endpoint(story: Story) -> None:
    story.narrator.start_step(
        "Add a call while everything runs",
        """Somebody wants the customers too. One more definition: no code, no deployment, no
        restart; this time of Business Central's standard API.""",
    )
    path = f"integrations/{INTEGRATION}/endpoints/{CUSTOMERS['code']}"
    story.manage("PUT", path, CUSTOMERS, only=("code", "is_enabled"))
    story.narrator.say()
    story.narrator.say("  It works at once, and callers may refine it with OData options:")
    query = "$top=2&$select=number,displayName,city,balanceDue"
    found = story.invoke(f"{INTEGRATION}/{CUSTOMERS['code']}?{query}", method="GET")
    story.require(len(found["value"]) == 2, "two customers come back")


def _make_a_mistake(story: Story) -> None:
    story.narrator.start_step(
        "Make a mistake",
        """What if a scanner registers the same pick again? Business Central refuses, and its own
        words reach the caller.""",
    )
    body = {"pickNo": PICK_NO}
    refused = story.invoke(f"{INTEGRATION}/REGISTER_WHSE_PICK", body, expected=(400,))
    story.require("already been registered" in refused["error"]["message"], "the pick is refused")
