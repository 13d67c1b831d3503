"""The operations around signing in, and those that tell how things are."""

from __future__ import annotations

from shared.domain import error_kinds as kinds
from shared.services.openapi.headers import IF_NONE_MATCH
from shared.services.openapi.operations import Operation, answer, empty_answer, in_query
from shared.services.openapi.schemas import FLAG, MOMENT, TEXT, TEXT_OR_NULL, Schema, record, ref

_SIGN_IN = "Sign-in"
_STATE = "Health"
_STORED = (kinds.GATEWAY_MISCONFIGURED, kinds.STORAGE_UNAVAILABLE, kinds.VAULT_UNAVAILABLE)
_PROVIDER = (kinds.IDENTITY_MISCONFIGURED, kinds.IDENTITY_UNAVAILABLE)
# An app that signs in by itself asks for its token at once.
_STARTS = {
    200: answer(
        "For scripts, which ask for JSON: where the sign-in goes on, or that none is needed.",
        record(
            authorization_url=TEXT_OR_NULL,
            optional={"status": {"const": "authorized"}},
        ),
    ),
    302: empty_answer("To the sign-in page of the identity provider.", "Location", "Set-Cookie"),
}
_STARTS[200]["content"]["text/html"] = {}


def operations() -> list[Operation]:
    """Return the operations."""
    return [
        Operation(
            id="authorize",
            method="GET",
            path="/api/authorize/{integration}",
            tag=_SIGN_IN,
            summary="Start a sign-in.",
            answers=_STARTS,
            errors=(kinds.INTEGRATION_NOT_FOUND, kinds.SIGN_IN_REQUIRED, *_PROVIDER, *_STORED),
            is_page=True,
        ),
        Operation(
            id="createSigninLink",
            method="POST",
            path="/api/integrations/{integration}/signin-link",
            tag=_SIGN_IN,
            summary="Make a one-time link for the person who signs in, valid a day.",
            answers={201: answer("The link.", record(url=TEXT, expires_on=MOMENT))},
            errors=(
                *(kinds.INTEGRATION_NOT_FOUND, kinds.GATEWAY_MISCONFIGURED),
                kinds.STORAGE_UNAVAILABLE,
            ),
        ),
        Operation(
            id="followSigninLink",
            method="GET",
            path="/api/signin/{token}",
            tag=_SIGN_IN,
            summary="Start the sign-in that a link stands for.",
            answers=_STARTS,
            errors=(
                *(kinds.SIGN_IN_EXPIRED, kinds.INTEGRATION_NOT_FOUND, kinds.SIGN_IN_REQUIRED),
                *(*_PROVIDER, *_STORED),
            ),
            is_anonymous=True,
            is_page=True,
        ),
        _callback(),
        Operation(
            id="deauthorize",
            method="POST",
            path="/api/deauthorize/{integration}",
            tag=_SIGN_IN,
            summary="Forget all tokens, and revoke them where the provider can.",
            answers={
                200: answer(
                    "The sign-in has ended.",
                    record(
                        integration=TEXT,
                        revoked=FLAG,
                        status={"const": "not_authorized"},
                    ),
                )
            },
            errors=(kinds.INTEGRATION_NOT_FOUND, *_STORED),
        ),
        Operation(
            id="getStatus",
            method="GET",
            path="/api/integrations/{integration}/status",
            tag=_STATE,
            summary="Tell the health of the sign-in, what needs doing, and by when.",
            answers={200: answer("The status.", ref("TokenStatus"))},
            errors=(
                *(kinds.INTEGRATION_NOT_FOUND, kinds.GATEWAY_MISCONFIGURED),
                kinds.STORAGE_UNAVAILABLE,
            ),
        ),
        *_anonymous(),
    ]


def _callback() -> Operation:
    page: Schema = {"text/html": {}}
    finished = record(integration=TEXT, status={"const": "authorized"}, signed_in_as=TEXT_OR_NULL)
    return Operation(
        id="finishSignin",
        method="GET",
        path="/api/callback",
        tag=_SIGN_IN,
        summary="Finish a sign-in: the identity provider sends the browser here.",
        parameters=(
            in_query("state", "Which sign-in it is."),
            in_query("code", "What the tokens are redeemed with."),
            in_query("error", "Why there is no code (RFC 6749 section 4.1.2.1)."),
            in_query("error_description", "The same in the provider's words."),
        ),
        answers={
            200: answer("The page that ends the sign-in; JSON for scripts.", finished, "Set-Cookie")
            | {"content": page | {"application/json": {"schema": finished}}}
        },
        errors=(
            *(kinds.SIGN_IN_EXPIRED, kinds.SIGN_IN_REFUSED, kinds.INTEGRATION_NOT_FOUND),
            *(*_PROVIDER, *_STORED),
        ),
        is_anonymous=True,
        is_page=True,
    )


def _anonymous() -> list[Operation]:
    return [
        Operation(
            id="getHealth",
            method="GET",
            path="/api/health",
            tag=_STATE,
            summary="Tell whether calls are served; nothing confidential.",
            answers={
                200: answer("Calls are served.", ref("Health")),
                503: answer("Calls are not served.", ref("Health")),
            },
            is_anonymous=True,
        ),
        Operation(
            id="getOpenapi",
            method="GET",
            path="/api/openapi.json",
            tag=_STATE,
            summary="Get this document.",
            parameters=(IF_NONE_MATCH,),
            answers={
                200: answer("This document.", {"type": "object"}, "ETag"),
                304: empty_answer("It is the one that is known.", "ETag"),
            },
            is_anonymous=True,
        ),
    ]
