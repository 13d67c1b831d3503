"""Stands in for the Azure Functions host (v4) and its Python worker (v2 programming model).

It runs the production app unchanged, as the platform would. A request passes through

    kestrel      the web server: what is refused before anything looks at it
    messages     a request as the host sees it, an answer as it goes out
    easy_auth    App Service Authentication: sign-in pages and the principal's headers
    routing      which function is meant (templates, constraints, targets)
    keys         whether its key opens that function
    conversion   the request as the app gets it, and the app's response on its way back (cookies)
    worker       where the app's functions run: so many at once, or on the event loop

and before the first one the host reads `configuration` (host.json), lets the worker import and
index the app (`indexing`), and checks what it found (`metadata`). `timer` fires timer functions on
their `ncrontab` schedules. `server` puts it together.

Written from Microsoft's documentation and the public source of the host, of Kestrel and of the
Python worker; Core Tools was not at hand for comparison.
"""
