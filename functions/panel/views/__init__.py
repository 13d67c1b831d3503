"""The views: each module answers for the pages of one subject."""
