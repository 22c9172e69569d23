"""`restante operator`: what the operator does on the server's machine, with the data folder, while the server runs or not.

Each area of work is a module of its own.
"""

from cyclopts import App

from restante.server.commands.availability import availability, waiting
from restante.server.commands.desk import people, record, usage, work
from restante.server.commands.invites import invites
from restante.server.commands.operators import link, operators
from restante.server.commands.plans import grants, payments, plans
from restante.server.commands.reports import reports
from restante.server.commands.switches import switches

operator = App(name="operator", help="Does the operator's work, on the server's machine.")
operator.command(reports)
operator.command(plans)
operator.command(grants)
operator.command(payments)
operator.command(link)
operator.command(operators)
operator.command(availability)
operator.command(waiting)
operator.command(invites)
operator.command(switches)
operator.command(usage)
operator.command(people)
operator.command(work)
operator.command(record)
