"""What happened lately: a chart, and the calls and sign-in events, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.panel.chart import draw
from functions.panel.forms import activity_filter
from functions.panel.rendering import page
from shared.bootstrap import get_services
from shared.domain import error_kinds
from shared.domain.error_kinds import ErrorKind
from shared.services.activity_report import NOBODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import azure.functions as func

    from functions.panel.forms.state import FormState
    from functions.panel.request import PanelRequest
    from shared.domain.activity import Entry
    from shared.services.activity_report import Source

_HOURS = (1, 6, 24)
_USUAL_HOURS = 6
_LIMIT = 50
# Each one more costs two queries, for which 50 ms have no more room.
_MOST_TOGETHER = 2
_KINDS = [kind for kind in vars(error_kinds).values() if isinstance(kind, ErrorKind)]
_TITLES = {kind.code: kind.title for kind in _KINDS}
_EVENTS = {
    "renewed": "Token renewed",
    "signed_in": "Signed in",
    "signed_off": "Signed out",
}


def show(request: PanelRequest) -> func.HttpResponse:
    """Show the activity of one integration, of all, or which ones there are to choose from."""
    state = activity_filter.entered(request)
    integration = state.text("integration")
    report = get_services().activity_report
    if integration not in ("", activity_filter.ALL):
        return _show(request, state, [report.source(integration)])
    sources = report.sources()
    if not integration and len(sources) > _MOST_TOGETHER:
        return page(
            request,
            "activity_choice.html",
            sources=sources,
            chosen=activity_filter.parameters(state),
            everything=activity_filter.ALL,
        )
    return _show(request, state, [NOBODY, *sources])


def _show(request: PanelRequest, state: FormState, sources: Sequence[Source]) -> func.HttpResponse:
    services = get_services()
    chosen = activity_filter.parameters(state)
    hours = next((each for each in _HOURS if str(each) == request.parameter("hours")), _USUAL_HOURS)
    before = request.parameter("before") or None
    report = services.activity_report
    found = report.entries(
        sources,
        wanted=activity_filter.wanted(state),
        within=activity_filter.within(state),
        before=before,
        limit=_LIMIT,
    )
    return page(
        request,
        "activity.html",
        form=state,
        chosen=chosen,
        integration=None if NOBODY in sources else sources[0],
        integrations=[each.partition for each in sources if each is not NOBODY],
        most_links=_MOST_TOGETHER,
        is_filtered=any(value for name, value in chosen.items() if name != "integration"),
        kinds=activity_filter.KINDS,
        outcomes=activity_filter.OUTCOMES,
        spans=[(value, label) for value, (label, _) in activity_filter.SPANS.items()],
        chart=draw(report.chart(sources, hours=hours)) if before is None else None,
        hours=hours,
        choices=_HOURS,
        found=found,
        titles=_TITLES,
        events=_EVENTS,
        explained=_explained,
        kept_days=services.settings.activity_kept_for.days,
    )


def _explained(entry: Entry) -> ErrorKind | None:
    """Return what the catalogue knows of the entry's error; some codes stand for two statuses."""
    kinds = [kind for kind in _KINDS if kind.code == entry.code]
    status = getattr(entry, "status", None)
    return next((kind for kind in kinds if kind.status == status), kinds[0] if kinds else None)
