"""The integration that tests share which must not change anything."""

STANDING = "STANDING"
LISTING = "GET_WHSE_SHPT_LINES"
