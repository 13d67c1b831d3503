"""The numbers of Entra's errors that matter here: what each means, and what to do about it.

Sorted by what has to happen first; the meanings are ours, after
learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

Explanation = tuple[str, str]  # what it means, and what to do next, in plain words

_SIGN_IN_AGAIN = "Sign in again."
_SECOND_FACTOR = "Sign in again and confirm with the second factor."
_EXPIRED = "The sign-in was not used for too long and has expired."
_POLICY = "Ask the tenant's administrator which conditional access policy applies to the app."
_SUBSCRIPTION = "Check the tenant: it must have a Business Central subscription."
_ANOTHER_ACCOUNT = "Sign in with another account."
_START_AGAIN = "Start the sign-in again."
_WAIT = "Wait a moment; nothing has to be done by hand."
_ADMIN_CONSENT = (
    "Ask an administrator of the tenant to consent to the app's permissions, then sign in again."
)

SIGN_IN: dict[int, Explanation] = {
    16000: (
        "The account is no member or guest of the tenant, or another one has to be chosen.",
        "Sign in again with an account of the tenant.",
    ),
    50055: ("The password has expired.", "Change the password, then sign in again."),
    50058: ("Nobody is signed in at Microsoft Entra any more.", _SIGN_IN_AGAIN),
    50072: ("A second factor has to be set up.", "Sign in again and set it up."),
    50074: ("A second factor is required.", _SECOND_FACTOR),
    50076: ("A second factor is required.", _SECOND_FACTOR),
    50078: ("The second factor was confirmed too long ago.", _SECOND_FACTOR),
    50079: ("A second factor has to be set up.", "Sign in again and set it up."),
    50089: ("The sign-in took too long and has expired.", _SIGN_IN_AGAIN),
    50097: ("The tenant's policy asks for a known device.", _POLICY),
    50132: ("The session was ended, for example by a changed password.", _SIGN_IN_AGAIN),
    50133: ("The session was ended by a changed password.", _SIGN_IN_AGAIN),
    50173: ("The sign-in was revoked or the password was reset.", _SIGN_IN_AGAIN),
    53000: ("The tenant's policy asks for a compliant device.", _POLICY),
    53001: ("The tenant's policy asks for a device that is joined to its domain.", _POLICY),
    53002: ("The tenant's policy does not approve of the app.", _POLICY),
    53003: ("A conditional access policy blocked the sign-in.", _POLICY),
    530032: ("A security policy of the tenant blocked the sign-in.", _POLICY),
    70008: ("The sign-in has expired.", _SIGN_IN_AGAIN),
    70043: ("The tenant's policy asks for a fresh sign-in.", _SIGN_IN_AGAIN),
    700020: ("A sign-in by a person is required.", _SIGN_IN_AGAIN),
    700082: (_EXPIRED, _SIGN_IN_AGAIN),
    700084: (
        "The sign-in was given to a single page app, whose sign-ins end after a day.",
        "Register the redirect URI under the platform 'Web', then sign in again.",
    ),
}

CONSENT: dict[int, Explanation] = {
    65001: ("Nobody has consented to the app's permissions.", _ADMIN_CONSENT),
    65004: ("Consent was declined.", "Sign in again and accept the permissions."),
    90094: ("The permissions need an administrator's consent.", _ADMIN_CONSENT),
}

CONFIGURATION: dict[int, Explanation] = {
    50011: (
        "The redirect URI is not registered with the app.",
        "Add the gateway's redirect URI to the app registration, platform 'Web', letter by letter.",
    ),
    50034: ("The account does not exist in this tenant.", _ANOTHER_ACCOUNT),
    50057: ("The account is disabled.", "Have it enabled, or sign in with another account."),
    50105: (
        "The person is not assigned to the app.",
        "Assign the person under Enterprise applications, or switch assignment off.",
    ),
    50194: (
        "The app belongs to a single tenant, and the address names none.",
        "Set tenant_id to the tenant's id, in authorize_url and token_url as well.",
    ),
    54005: ("The sign-in's code was used before.", _START_AGAIN),
    70000: ("The sign-in belongs to another app, or was damaged.", _SIGN_IN_AGAIN),
    70011: ("The scope is not valid.", "Check scope; leave it empty for Business Central."),
    90002: ("The tenant does not exist.", "Check tenant_id."),
    500011: ("Business Central is not known in this tenant.", _SUBSCRIPTION),
    501481: ("The sign-in's proof did not match.", _START_AGAIN),
    650052: ("The tenant has no access to Business Central.", _SUBSCRIPTION),
    650057: (
        "The app asks for a permission that its registration does not list.",
        "Add the Dynamics 365 Business Central permission to the app registration.",
    ),
    700016: (
        "The app registration does not exist in this tenant.",
        "Check client_id and tenant_id.",
    ),
    700025: (
        "The app registration is a public client, which may not send a secret.",
        "Register the redirect URI under the platform 'Web'.",
    ),
    700027: (
        "The certificate that signs for the app is not registered with it.",
        "Upload the certificate's public part to the app registration.",
    ),
    7000112: (
        "The app is disabled in this tenant.",
        "Enable it under Enterprise applications in the Microsoft Entra admin center.",
    ),
    7000215: (
        "The client secret is wrong.",
        "Store the value (not the id) of the app registration's secret as client_secret.",
    ),
    7000218: ("The app sent no secret.", "Store a client_secret, or choose another client_auth."),
    7000222: (
        "The client secret has expired.",
        "Create a new client secret in the app registration and store it as client_secret.",
    ),
    9002313: ("The sign-in's code or token is malformed.", _START_AGAIN),
}

TRANSIENT: dict[int, Explanation] = {
    50033: ("Microsoft Entra has a passing fault.", _WAIT),
    50087: ("Microsoft Entra has a passing fault.", _WAIT),
    50196: ("Microsoft Entra pauses the app, which asked too often.", _WAIT),
    90006: ("Microsoft Entra has a passing fault.", _WAIT),
    90012: ("Microsoft Entra ran out of time.", _WAIT),
    90024: ("Microsoft Entra has a passing fault.", _WAIT),
    90033: ("Microsoft Entra is not available at the moment.", _WAIT),
    90055: ("Microsoft Entra is throttling the tenant.", _WAIT),
    90090: ("Microsoft Entra has a passing fault.", _WAIT),
}

EXPLANATIONS = SIGN_IN | CONSENT | CONFIGURATION | TRANSIENT
