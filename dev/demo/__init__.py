"""Show the main job, and tell how to go on by hand."""
