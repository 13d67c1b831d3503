"""The naive design: all that a call needs in one row, read for each call, and nothing kept open.

It reads its row from the same storage emulator and stands behind the same threaded server as the
stand-in for the Functions host. It checks nothing, logs nothing and renews no token.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from azure.data.tables import TableServiceClient

from dev.serving import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from azure.data.tables import TableClient

TIMEOUT_SECONDS = 60
# Nobody looks at it; it is as long as those of Entra are.
ACCESS_TOKEN = "x" * 1500
_PARTITION = "integration"


class Naive:
    """The WSGI application: `/{row}` runs what the row says."""

    def __init__(self, table: TableClient) -> None:
        """Read rows from `table`."""
        self._table = table

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read the row, call, and hand the answer on."""
        row = self._table.get_entity(_PARTITION, environ["PATH_INFO"].strip("/"))
        answer = requests.request(
            "POST",
            row["url"],
            data=environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])),
            headers={
                "Authorization": f"Bearer {row['access_token']}",
                "Content-Type": "application/json",
            },
            timeout=TIMEOUT_SECONDS,
        )
        start_response(
            f"{answer.status_code} {answer.reason}",
            [
                ("Content-Type", answer.headers["Content-Type"]),
                ("Content-Length", str(len(answer.content))),
            ],
        )
        return [answer.content]


def main() -> None:
    """Store a row for each URL, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("urls", nargs="+", help="what the rows call; each is named by its scheme")
    options = parser.parse_args()
    storage = TableServiceClient.from_connection_string(
        os.environ["AzureWebJobsStorage"]  # noqa: SIM112 - its name on Azure
    )
    table = storage.create_table_if_not_exists("naive")
    for url in options.urls:
        row = {"url": url, "access_token": ACCESS_TOKEN}
        name = urlsplit(url).scheme
        table.upsert_entity({"PartitionKey": _PARTITION, "RowKey": name} | row)
    LoopbackServer(Naive(table), port=options.port).serve()


if __name__ == "__main__":
    main()
