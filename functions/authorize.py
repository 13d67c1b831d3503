"""Start a sign-in, by key or by a one-time link."""

from __future__ import annotations

import azure.functions as func

from functions.http import Request, json_response, trigger
from functions.sign_in_pages import link_address, page_trigger, start_response
from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.route("authorize/{integration}", methods=["GET"])
@page_trigger
def authorize(request: Request) -> func.HttpResponse:
    """Send an administrator's browser to the sign-in page of the identity provider."""
    started = get_services().authorization.begin(request.route("integration"))
    return start_response(request, started)


@blueprint.route("integrations/{integration}/signin-link", methods=["POST"])
@trigger
def signinlink(request: Request) -> func.HttpResponse:
    """Make a one-time link for the person who owns the account: no key is ever in a browser."""
    link = get_services().authorization.create_link(request.route("integration"))
    return json_response({"url": link_address(link), "expires_on": link.expires_on}, status=201)


@blueprint.route("signin/{token}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@page_trigger
def signin(request: Request) -> func.HttpResponse:
    """Start the sign-in that a link stands for."""
    return start_response(request, get_services().authorization.follow_link(request.route("token")))
