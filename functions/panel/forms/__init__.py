"""Forms: from a stored document to fields, and from posted fields to a document."""
