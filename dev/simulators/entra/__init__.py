"""Microsoft Entra as the gateway sees it: sign-in pages, token endpoint, discovery and keys.

One tenant, two people and one app registration (`registry`), with the paths, parameters and
answers of the Microsoft identity platform's v2.0 endpoints. What the real service does not have
is kept apart under `/_control/` (`control`).
"""
