"""The OpenAPI 3.1 document of this API; imported when it is asked for, not at a cold start."""
