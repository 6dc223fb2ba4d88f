"""Panels and dashboards, as far as ours differ: everything else is said here once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders import logs, loki, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode
from grafana_foundation_sdk.models.dashboard import DashboardLink, DataSourceRef, Threshold, ThresholdsMode

METRICS = DataSourceRef(type_val="prometheus", uid="prometheus")
LOGS = DataSourceRef(type_val="loki", uid="loki")
ALERTS = DataSourceRef(type_val="alertmanager", uid="alertmanager")
"""Datasources, by identifiers that dashboards can rely on."""

TAG = "auterity"
WIDTH = 24
"""Columns of a dashboard."""


@dataclass(frozen=True)
class Query:
    """A question to Prometheus, and what its answers are called.

    Attributes:
        expr: PromQL.
        legend: name of each answer, with its labels in double braces.
    """

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Graph:
    """Answers over time; from each, one click leads to the logs of its job at that time.

    Attributes:
        title: what it shows.
        unit: Grafana's name of the unit.
        queries: what it asks.
        width: columns, of 24.
        limit: from where on it is red; None for nowhere.
    """

    title: str
    unit: str
    queries: Sequence[Query]
    width: int = 8
    limit: float | None = None


@dataclass(frozen=True)
class Number:
    """The newest answer.

    Attributes:
        title: what it shows.
        unit: Grafana's name of the unit.
        query: what it asks.
        bad_from: from where on it is red; None for nowhere.
        bad_below: below which it is red; None for nowhere.
        width: columns, of 24.
        otherwise: what stands there without an answer.
    """

    title: str
    unit: str
    query: Query
    bad_from: float | None = None
    bad_below: float | None = None
    width: int = 4
    otherwise: str = "no data"


@dataclass(frozen=True)
class Lines:
    """Lines of logs.

    Attributes:
        title: what it shows.
        query: LogQL.
    """

    title: str
    query: str


Panel = Graph | Number | Lines


@dataclass(frozen=True)
class Dashboard:
    """What answers one question.

    Attributes:
        uid: identifier, also the name of its file and the end of its address.
        title: its title.
        rows: title of each row to its panels.
    """

    uid: str
    title: str
    rows: Sequence[tuple[str, Sequence[Panel]]]

    def panels(self) -> list[Panel]:
        """List the panels of all rows."""
        return [panel for _, panels in self.rows for panel in panels]

    def queries(self) -> list[str]:
        """List every question to Prometheus."""
        asked = [
            panel.queries if isinstance(panel, Graph) else [panel.query]
            for panel in self.panels()
            if not isinstance(panel, Lines)
        ]
        return [query.expr for queries in asked for query in queries]

    def written(self) -> str:
        """Return it as Grafana reads it, in one line: the engine's state holds it three times."""
        made = (
            grafana.Dashboard(self.title)
            .uid(self.uid)
            .tags([TAG])
            .readonly()
            .refresh("1m")
            .time("now-6h", "now")
            .timezone("utc")
            .link(_Link("Dashboards").as_dropdown(True).tags([TAG]).keep_time(True))
        )
        for title, panels in self.rows:
            made = made.with_row(grafana.Row(title))
            for panel in panels:
                made = made.with_panel(_panel(panel))
        return JSONEncoder(sort_keys=True, separators=(",", ":")).encode(made.build())


class _Link(grafana.DashboardLink):
    """A link in sight: the builder puts each into a menu."""

    def build(self) -> DashboardLink:
        made = super().build()
        made.placement = None  # type: ignore[assignment]
        return made


def _panel(panel: Panel) -> timeseries.Panel | stat.Panel | logs.Panel:
    match panel:
        case Graph():
            return _graph(panel)
        case Number():
            return _number(panel)
        case Lines():
            asked = loki.Dataquery().expr(panel.query).ref_id("A")
            # What Grafana does where nothing is said, and the builder says otherwise.
            told = logs.Panel().show_time(True).enable_log_details(True)
            return told.title(panel.title).datasource(LOGS).span(WIDTH).height(8).with_target(asked)


def _graph(panel: Graph) -> timeseries.Panel:
    made = (
        timeseries.Panel()
        .title(panel.title)
        .unit(panel.unit)
        .datasource(METRICS)
        .span(panel.width)
        .height(7)
        .min(0)
        .fill_opacity(10)
        .legend(VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(True))
        .data_links([_Link("Logs at this time").url(logs_link()).target_blank(True)])
    )
    if panel.limit is not None:
        made = made.thresholds(_limits(panel.limit, None))
    for number, query in enumerate(panel.queries):
        made = made.with_target(_query(query, "ABCDEFGH"[number]))
    return made


def _number(panel: Number) -> stat.Panel:
    return (
        stat.Panel()
        .title(panel.title)
        .unit(panel.unit)
        .datasource(METRICS)
        .span(panel.width)
        .height(4)
        .no_value(panel.otherwise)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(_limits(panel.bad_from, panel.bad_below))
        .with_target(_query(panel.query, "A").instant())
    )


def _query(query: Query, name: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").ref_id(name)


def _limits(bad_from: float | None, bad_below: float | None) -> grafana.ThresholdsConfig:
    steps = [Threshold(value=None, color="green")]
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color="red"))
    if bad_below is not None:
        steps = [Threshold(value=None, color="red"), Threshold(value=bad_below, color="green")]
    return grafana.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def logs_link() -> str:
    """Return the address of the logs of a series' job (https://grafana.com/docs/grafana/latest/explore/)."""
    job, start, end = "${__field.labels.job}", "${__from}", "${__to}"
    panes = {
        "logs": {
            "datasource": LOGS.uid,
            "queries": [
                {
                    "refId": "A",
                    "datasource": {"type": LOGS.type_val, "uid": LOGS.uid},
                    "expr": f'{{job=~"{job}.*"}}',
                }
            ],
            "range": {"from": start, "to": end},
        }
    }
    # Grafana fills the variables in before it opens the address.
    written = quote(json.dumps(panes, separators=(",", ":")), safe="${}_.:,*")
    return f"/explore?schemaVersion=1&orgId=1&panes={written}"
