"""Route templates as ASP.NET Core reads them: `invoke/{integration}/{endpoint}`, `{*rest}`.

The rules are those of its RoutePatternParser and RoutePatternMatcher. A template becomes a regular
expression over the decoded path. Literals match in any case, one trailing slash of a path does not
matter, and an empty segment (`//`) matches nothing but the inside of a catch-all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from dev.host.constraints import constraint

if TYPE_CHECKING:
    from dev.host.constraints import Predicate

# A brace that is meant as such is written twice.
_TOKEN = re.compile(
    r"(?P<slash>/)|\{(?P<parameter>(?:[^{}]|\{\{|\}\})+)\}|(?P<literal>(?:[^{}/]|\{\{|\}\})+)"
)
_CONSTRAINT = r":(\w+)(?:\((.*?)\)(?=[:=?]|$))?"
_PARAMETER = re.compile(
    rf"(?P<stars>\*{{0,2}})(?P<name>[^:=?*{{}}/]+)(?P<constraints>(?:{_CONSTRAINT})*)"
    r"(?:=(?P<default>.*?))?(?P<optional>\?)?",
    re.DOTALL,
)


class TemplateError(ValueError):
    """A route template that ASP.NET Core refuses; the host does not start with one."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a template."""

    name: str
    predicates: tuple[Predicate, ...]
    default: str | None
    is_optional: bool
    is_catch_all: bool

    @property
    def may_be_absent(self) -> bool:
        """Tell whether a path may end before this parameter."""
        return self.is_optional or self.is_catch_all or self.default is not None


Segment = list["str | Parameter"]


class Template:
    """A parsed template."""

    def __init__(self, text: str) -> None:
        """Parse `text`; TemplateError if ASP.NET Core would refuse it."""
        try:
            segments = _segments(text)
            _check(segments)
        except ValueError as error:
            raise TemplateError(f"the route template {text!r} is not valid: {error}") from None
        self._parameters = _parameters(segments)
        self._pattern = _pattern(segments)

    def match(self, path: str) -> dict[str, str] | None:
        """Give the route values of a decoded path, or None if the template does not match it.

        A parameter that is absent and has no default is not among them.
        """
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values = {}
        for parameter, text in zip(self._parameters, found.groups(), strict=True):
            value = text or parameter.default
            if value is None:
                continue
            if not all(holds(value) for holds in parameter.predicates):
                return None
            values[parameter.name] = value
        return values


def _segments(text: str) -> list[Segment]:
    text = re.sub(r"^~?/", "", text)
    if text.startswith("~"):
        raise ValueError("it may begin with '~/' but not with '~'")
    segments: list[Segment] = [[]]
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError("its braces do not match")
        if token["slash"]:
            if not segments[-1]:
                raise ValueError("it has two slashes in a row")
            segments.append([])
        elif token["parameter"]:
            segments[-1].append(_parameter(_undoubled(token["parameter"])))
        else:
            segments[-1].append(_literal(_undoubled(token["literal"])))
        position = token.end()
    return [segment for segment in segments if segment]


def _undoubled(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def _literal(text: str) -> str:
    if "?" in text:
        raise ValueError("a literal may not hold '?'")
    return text


def _parameter(text: str) -> Parameter:
    parts = _PARAMETER.fullmatch(text)
    if parts is None:
        raise ValueError(f"bad parameter {{{text}}}")
    constraints = re.findall(_CONSTRAINT, parts["constraints"], re.DOTALL)
    parameter = Parameter(
        name=parts["name"],
        predicates=tuple(constraint(name, argument) for name, argument in constraints),
        default=parts["default"],
        is_optional=bool(parts["optional"]),
        is_catch_all=bool(parts["stars"]),
    )
    if parameter.is_optional and (parameter.is_catch_all or parameter.default is not None):
        raise ValueError(f"{parameter.name!r} cannot be optional as well")
    return parameter


def _parameters(segments: list[Segment]) -> list[Parameter]:
    return [part for part in chain.from_iterable(segments) if isinstance(part, Parameter)]


def _check(segments: list[Segment]) -> None:
    names = [parameter.name.lower() for parameter in _parameters(segments)]
    if len(set(names)) != len(names):
        raise ValueError("a parameter appears twice")
    for segment in segments:
        for part in segment:
            if isinstance(part, str):
                continue
            if part.is_catch_all and (segment is not segments[-1] or len(segment) > 1):
                raise ValueError(f"the catch-all {part.name!r} is not the whole last segment")
            if part.is_optional and len(segment) > 1 and segment[-2:] != [".", part]:
                raise ValueError(
                    f"in a mixed segment only '.' may precede the optional {part.name!r}"
                )
        if any(isinstance(a, Parameter) and isinstance(b, Parameter) for a, b in pairwise(segment)):
            raise ValueError("two parameters follow each other without a literal between them")


def _pattern(segments: list[Segment]) -> re.Pattern[str]:
    pattern = ""
    path_may_end = True
    for segment in reversed(segments):
        only = segment[0] if len(segment) == 1 else None
        if isinstance(only, Parameter) and only.is_catch_all:
            pattern = "(?:/([^/].*))?"
        elif isinstance(only, Parameter) and only.may_be_absent and path_may_end:
            pattern = f"(?:/([^/]+){pattern})?"
        else:
            path_may_end = False
            pattern = "/" + _mixed(segment) + pattern
    return re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL)


def _mixed(segment: Segment, quantifier: str = "+") -> str:
    last = segment[-1]
    if len(segment) > 1 and isinstance(last, Parameter) and last.is_optional:
        return _mixed(segment[:-2], "+?") + r"(?<!\.)(?:\.([^/.]+))?"
    return "".join(
        re.escape(part) if isinstance(part, str) else f"([^/]{quantifier})" for part in segment
    )
