"""Makes the database and its three roles. Idempotent; run by an administrator before the first migration.

`crm_owner` owns the tables and runs the migrations. `crm_app` is what the application connects as: it owns nothing and
row-level security holds it. `crm_operator` cannot log in; `crm_app` may switch to it for the few named steps that cross
organizations.
"""

import argparse
import logging
import os
import sys

import psycopg
from psycopg import sql

logger = logging.getLogger(__name__)

OWNER = "crm_owner"
APP = "crm_app"
OPERATOR = "crm_operator"

MINIMUM_VERSION = 150000
# From this version on, membership says by itself whether it inherits.
MEMBERSHIP_OPTIONS_VERSION = 160000
ADVISORY_LOCK = 0x63726D  # "crm"

# PostgreSQL runs only leakproof operators below a policy. Unmarked, full-text search would read all rows of an
# organization instead of its index.
SEARCH_FUNCTIONS = ("ts_match_vq(tsvector, tsquery)", "ts_match_qv(tsquery, tsvector)")


class ProvisionError(Exception):
    """The server cannot hold this database; the message says why."""


def provision(
    admin_url: str,
    database: str,
    *,
    owner_password: str | None = None,
    app_password: str | None = None,
) -> None:
    """Create what is missing of roles and database and put their privileges right."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.info.server_version < MINIMUM_VERSION:
            raise ProvisionError(
                f"PostgreSQL 15 or newer is needed, this is {connection.info.server_version // 10000}."
            )
        connection.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        superuser = _is_superuser(connection)
        _ensure_roles(connection, {OWNER: owner_password, APP: app_password}, superuser=superuser)
        _ensure_database(connection, database)
        # Here, under the lock still: two runs at once would update the same catalog rows.
        with psycopg.connect(admin_url, dbname=database, autocommit=True) as inside:
            _grant_privileges(inside, superuser=superuser)
            _mark_search_leakproof(inside, superuser=superuser)


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def _ensure_roles(connection: psycopg.Connection, passwords: dict[str, str | None], *, superuser: bool) -> None:
    existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role, attributes in ((OWNER, "LOGIN"), (APP, "LOGIN NOINHERIT"), (OPERATOR, "NOLOGIN")):
        verb = "ALTER" if role in existing else "CREATE"
        connection.execute(sql.SQL(f"{verb} ROLE {{}} {attributes}").format(sql.Identifier(role)))
    for role, password in passwords.items():
        if password:
            # Hashed here, so that the password itself stays out of the server's log.
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(role), sql.Literal(hashed)))
    inherit = " WITH INHERIT FALSE, SET TRUE" if connection.info.server_version >= MEMBERSHIP_OPTIONS_VERSION else ""
    connection.execute(f"GRANT {OPERATOR} TO {APP}{inherit}")
    if not superuser:
        # A managed server's administrator creates objects for a role only as its member.
        connection.execute(f"GRANT {OWNER} TO CURRENT_USER")
    too_strong = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls)", [[OWNER, APP, OPERATOR]]
    ).fetchall()
    if too_strong:
        names = ", ".join(row[0] for row in too_strong)
        raise ProvisionError(f"Row-level security would not hold for {names}: take SUPERUSER and BYPASSRLS from it.")


def _ensure_database(connection: psycopg.Connection, database: str) -> None:
    name = sql.Identifier(database)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        statement = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'"
        connection.execute(sql.SQL(statement).format(name, sql.Identifier(OWNER)))


def _grant_privileges(connection: psycopg.Connection, *, superuser: bool) -> None:
    """Every privilege is the owner's to give, so it is given in the owner's name."""
    if not superuser:
        connection.execute(f"SET ROLE {OWNER}")
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    grant = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}")
    connection.execute(grant.format(database, sql.Identifier(APP)))
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute(f"GRANT ALL ON SCHEMA public TO {OWNER}")
    connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {OPERATOR}")
    for privileges, objects in (
        ("SELECT, INSERT, UPDATE, DELETE", "TABLES"),
        ("USAGE, SELECT", "SEQUENCES"),
        ("EXECUTE", "FUNCTIONS"),
    ):
        grant_default = f"GRANT {privileges} ON {objects} TO {APP}, {OPERATOR}"
        connection.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public {grant_default}")
    connection.execute("RESET ROLE")


def _mark_search_leakproof(connection: psycopg.Connection, *, superuser: bool) -> None:
    if not superuser:
        logger.warning(
            "Not a superuser: full-text search cannot use its index below row-level security and is slower. "
            "An administrator may run: %s",
            "; ".join(f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF" for function in SEARCH_FUNCTIONS),
        )
        return
    for function in SEARCH_FUNCTIONS:
        connection.execute(f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF")


def main(arguments: list[str] | None = None) -> int:
    """`python -m crm.core.provision`; passwords come from the environment, where process lists do not show them."""
    parser = argparse.ArgumentParser(prog="python -m crm.core.provision", description=__doc__)
    parser.add_argument("--admin-url", default=os.environ.get("DATABASE_ADMIN_URL"), help="default: DATABASE_ADMIN_URL")
    parser.add_argument("--database", default="crm")
    options = parser.parse_args(arguments)
    if not options.admin_url:
        parser.error("give --admin-url or set DATABASE_ADMIN_URL")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        provision(
            options.admin_url,
            options.database,
            owner_password=os.environ.get("CRM_OWNER_PASSWORD"),
            app_password=os.environ.get("CRM_APP_PASSWORD"),
        )
    except (ProvisionError, psycopg.Error) as error:
        sys.stderr.write(f"Provisioning failed: {error}\n")
        return 1
    logger.info("Database %s and the roles %s, %s, %s are in place.", options.database, OWNER, APP, OPERATOR)
    return 0


if __name__ == "__main__":
    sys.exit(main())
