"""The timer: keeps tokens fresh, so that callers never wait for a refresh."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import get_services

blueprint = func.Blueprint()


@blueprint.timer_trigger(schedule="%REFRESH_SCHEDULE%", arg_name="timer")
def refresh(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host hands it over
    """Refresh every token that is due."""
    get_services().due_refresh.run()
