"""The embedded servers: one holder per directory, nothing lost over a restart, nothing left after any kind of end."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from crm.core.provision import provision
from devstack import accounts, runner, supervisor
from devstack.errors import EmbeddedError, Locked
from devstack.postgres import PostgresServer
from devstack.process import Process, alive, descendants, wait_until
from devstack.services import Services

PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED = [sys.executable, "-m", "devstack"]
CLEAN_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL", "PGHOST", "CRM_ENV"}
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Running services that the tests may stop, kill and freeze, as long as they run again afterwards."""
    with Services(tmp_path_factory.mktemp("services"), ephemeral=True) as running:
        yield running


@pytest.fixture
def server(services: Services) -> PostgresServer:
    assert services.postgres is not None
    return services.postgres


def fetch(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def all_gone(pids: list[int], timeout: float = 10.0) -> bool:
    return wait_until(lambda: not any(alive(pid) for pid in pids), timeout, interval=0.05)


def spawn_runner(directory: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """`run --data` with a command that waits, and every process below it."""
    command = [*EMBEDDED, "run", "--data", str(directory), "--", "sh", "-c", "echo ready; exec sleep 600"]
    child = subprocess.Popen(command, cwd=PROJECT, env=CLEAN_ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child, [child.pid, *descendants(child.pid)]


def test_a_second_holder_is_refused_by_name(services: Services) -> None:
    with pytest.raises(Locked, match=rf"{services.directory} is already in use by process {os.getpid()}\.$"):
        Services(services.directory, ephemeral=True).start()
    assert services.postgres is not None
    assert services.postgres.answers()


def test_a_second_server_on_the_same_data_is_refused(server: PostgresServer) -> None:
    with pytest.raises(Locked, match="is already in use"):
        PostgresServer(server.data, server.sockets, server.log, ephemeral=True).start()
    assert server.answers()


def test_a_command_joins_services_that_run_already(services: Services, capfd: pytest.CaptureFixture[str]) -> None:
    assert runner.run(["sh", "-c", 'psql_host="$PGHOST"; echo "$psql_host"'], data=services.directory) == 0
    assert str(services.postgres and services.postgres.sockets) in capfd.readouterr().out


def test_data_survives_a_restart(server: PostgresServer) -> None:
    fetch(server.admin_url, "CREATE TABLE kept AS SELECT 'ÀÉ' AS word")
    server.stop()
    assert not server.answers()
    server.start()
    assert fetch(server.admin_url, "SELECT lower(word) FROM kept") == [("àé",)]


def test_a_crash_loses_no_commit(server: PostgresServer) -> None:
    fetch(server.admin_url, "CREATE TABLE committed AS SELECT 42 AS answer")
    assert server.pid is not None
    processes = [server.pid, *descendants(server.pid)]
    server.kill()
    assert all_gone(processes)
    server.start()
    assert fetch(server.admin_url, "SELECT answer FROM committed") == [(42,)]


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(server: PostgresServer) -> None:
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")
    server.start()
    assert server.answers()


def test_a_frozen_server_answers_nobody_until_it_thaws(services: Services) -> None:
    assert services.redis is not None
    client = redis.Redis(unix_socket_path=str(services.redis.socket), socket_timeout=0.3, retry=None)
    services.redis.pause()
    with pytest.raises(redis.exceptions.TimeoutError):
        client.ping()
    services.redis.resume()
    assert client.ping()


def test_a_frozen_database_can_be_stopped(server: PostgresServer) -> None:
    server.pause()
    server.stop()
    server.start()
    assert server.answers()


def test_nobody_else_reaches_the_sockets(server: PostgresServer) -> None:
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert fetch(server.admin_url, "SHOW listen_addresses") == [("",)]


def test_provisioning_twice_leaves_the_roles_as_they_must_be(server: PostgresServer) -> None:
    provision(server.admin_url, "crm")
    roles = fetch(
        server.admin_url,
        "SELECT rolname, rolcanlogin, rolinherit, rolsuper OR rolbypassrls FROM pg_roles"
        " WHERE rolname LIKE 'crm%' ORDER BY 1",
    )
    assert roles == [
        ("crm_app", True, False, False),
        ("crm_operator", False, True, False),
        ("crm_owner", True, True, False),
    ]
    inside = server.url("crm_owner", "crm")
    leakproof = "SELECT bool_and(proleakproof) FROM pg_proc WHERE proname IN ('ts_match_vq', 'ts_match_qv')"
    assert fetch(inside, leakproof) == [(True,)]
    fetch(inside, "CREATE TABLE owned (id int)")
    # Granted by default to the application; its operator role is not used without being asked for.
    assert fetch(server.url("crm_app", "crm"), "SELECT pg_has_role('crm_operator', 'USAGE'), count(*) FROM owned") == [
        (False, 0)
    ]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fetch(server.url("crm_app", "crm"), "CREATE TABLE mine (id int)")


def test_stopping_leaves_no_process_and_no_socket(tmp_path: Path) -> None:
    # The half of an interrupted first start lies in the way.
    (tmp_path / "postgres.init").mkdir()
    (tmp_path / "postgres.init" / "PG_VERSION").write_text("18\n")
    with Services(tmp_path, ephemeral=True) as running:
        assert running.postgres is not None
        sockets = running.postgres.sockets
        processes = list(descendants(os.getpid()))
        own = [pid for pid in processes if pid in {running.postgres.pid, running.redis and running.redis.pid}]
        below = [pid for pid in own for pid in (pid, *descendants(pid))]
        assert len(below) > 2
    assert all_gone(below)
    assert not sockets.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_killing_the_holder_leaves_no_process_and_a_directory_that_starts(tmp_path: Path) -> None:
    child, processes = spawn_runner(tmp_path)
    child.kill()
    child.wait()
    assert all_gone(processes)
    with Services(tmp_path, ephemeral=True) as running:
        assert running.postgres is not None
        assert running.postgres.answers()


def test_terminating_the_runner_stops_the_command_and_the_services(tmp_path: Path) -> None:
    child, processes = spawn_runner(tmp_path)
    child.terminate()
    assert child.wait(timeout=20) == 128 + signal.SIGTERM
    assert all_gone(processes)


def test_reset_refuses_a_directory_in_use_and_one_that_is_not_ours(services: Services, tmp_path: Path) -> None:
    with pytest.raises(Locked):
        runner.reset(services.directory)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(EmbeddedError, match="does not look like"):
        runner.reset(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_another_version_of_postgresql_is_named(server: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("15\n")
    sockets = accounts.socket_directory(tmp_path, server.account)
    other = PostgresServer(tmp_path / "postgres", sockets, tmp_path / "log", ephemeral=True)
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 15, this is 18"):
        other.start()
    assert not sockets.exists()


def test_a_child_that_dies_is_started_again_a_little_later_each_time(tmp_path: Path) -> None:
    child = supervisor.Supervised(Process("Worker", ["false"], tmp_path / "worker.log"))
    child.start()
    delays = []
    for _ in range(3):
        assert wait_until(lambda: not child.process.running(), 5)
        child.watch()
        assert child.due_at is not None
        delays.append(round(child.due_at - time.monotonic()))
        child.due_at = time.monotonic()
        child.watch()
    child.process.stop()
    assert delays == [1, 2, 4]


def test_a_busy_port_is_told_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedError, match=f"Port {port} cannot be used"):
            supervisor.check_port(port)


def test_the_secret_is_kept_and_private(tmp_path: Path) -> None:
    first = supervisor.kept_secret(tmp_path / "secret-key")
    assert supervisor.kept_secret(tmp_path / "secret-key") == first
    assert len(first) >= 48
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_demo_leaves_nothing_and_two_demos_do_not_meet(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = CLEAN_ENVIRONMENT | {"CRM_DATA_DIR": str(tmp_path), "PORT": port}
    with (tmp_path / "output").open("w") as output:
        demo = subprocess.Popen([*EMBEDDED, "demo"], cwd=PROJECT, env=environment, stdout=output, stderr=output)
    try:
        running = lambda: "is running at" in (tmp_path / "output").read_text()  # noqa: E731
        assert wait_until(lambda: running() or demo.poll() is not None, 90, interval=0.1)
        assert running(), (tmp_path / "output").read_text()
        second = subprocess.run(
            [*EMBEDDED, "demo"],
            cwd=PROJECT,
            env=environment | {"PORT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        refusal = f"The data directory {tmp_path} is already in use by process {demo.pid} at http://localhost:{port}.\n"
        assert (second.returncode, second.stdout, second.stderr) == (1, "", refusal)
        assert supervisor.ask(int(port), "localhost") == "200"
        processes = list(descendants(demo.pid))
    finally:
        demo.kill()
        demo.wait()
    assert all_gone(processes, timeout=20)
