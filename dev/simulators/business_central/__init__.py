"""A Business Central that runs on one machine: URLs, company, OData, codeunits, limits, errors.

It describes the online service as far as its behaviour is documented or was seen; "bc-api.md"
in the docstrings is the project's collection of those facts, with sources. What is only assumed
says so. Not imitated: `$batch`, webhooks, SOAP, permissions, languages, the read replica.
"""
