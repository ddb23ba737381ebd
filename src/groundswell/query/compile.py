"""Question → Statement: text is parsed, resolved, planned, guarded and printed."""

from __future__ import annotations

from groundswell.errors import UserError
from groundswell.query.catalog import Catalog, Needs
from groundswell.query.plan.pairs import with_pairs
from groundswell.query.plan.passes import guarded, with_wholes
from groundswell.query.plan.planner import Planner, widest
from groundswell.query.question import Question, Statement
from groundswell.query.sql.clickhouse import Printer
from groundswell.query.wants import needs_of


def compile(question: Question, catalog: Catalog) -> Statement:
    """Compile one question into one SELECT.

    Raises UserError that names what was wrong, in the words of the question.
    """
    if not question.projects:
        raise UserError("project: no project is selected", code="no_project", field="project")

    planner = Planner(question, catalog)
    planned = planner.plan()
    plan = with_wholes(with_pairs(planned.select))
    projects = tuple(int(project) for project in question.projects)
    window = widest(question)
    plan = guarded(plan, projects, window)
    printer = Printer()
    sql = printer.select(plan)
    return Statement(
        sql=sql,
        params=printer.params,
        outputs=planned.outputs,
        rank=planned.rank,
        notes=tuple(planner.frame.notes),
        tips=planned.tips,
        table=planned.table,
        projects=projects,
        window=window,
        keeps_values=planner.frame.keeps_values,
    )


def needs(question: Question) -> Needs:
    """Say which parts of a catalog a question depends on."""
    return needs_of(question)
