"""The promise, as checks: N replicas start together, one migrates, all serve, all share the data.

Why nobody counts "Acquired migration lock": who waited and then got the lock finds nothing left to do,
and says that line too. What counts is what was done: rows of the history, and "Migrations complete".
"""

from __future__ import annotations

import json
import threading
import time

from fleet import Fleet, Replica, ask
from load import READS, Load
from report import Failed, Report, wait_until

REPLICAS = 4
HISTORY = "SELECT name FROM schema_migration ORDER BY version"
COMPLETE = r"^Migrations complete \("
FAST = r"^Fast path: schema up to date"
LOCK = r"migration lock"
READY = r"^Ready$"


def all_ready(fleet: Fleet, count: int, timeout: float) -> float:
    """Waits until so many are ready; says what they say if they don't become it."""

    def holds() -> object:
        states = [each.is_ready() for each in fleet.replicas()]
        return states.count(True) == count or f"{states.count(True)} ready of {len(states)}"

    try:
        return wait_until(f"{count} ready replicas", holds, timeout)
    except Failed as failed:
        last = [f"{each.name}: {each.lines()[-3:]}" for each in fleet.replicas()]
        raise Failed(f"{failed}\n" + "\n".join(last)) from None


def started_in_parallel(replicas: list[Replica]) -> str:
    """First lines within 5 s, and none of them had a pause of 30 s, which is what a queue looks like."""
    firsts, pauses = [], []
    for each in replicas:
        times = [message.at for message in each.messages()]
        if not times:
            raise Failed(f"{each.name} has no log: {each.lines()[:3]}")
        firsts.append(times[0])
        pauses += [after - before for before, after in zip(times, times[1:])]
    spread, longest = max(firsts) - min(firsts), max(pauses, default=0.0)
    if spread > 5:
        raise Failed(f"first lines are {spread:.1f} s apart")
    if longest >= 30:
        raise Failed(f"a replica said nothing for {longest:.0f} s")
    return f"first lines within {spread:.2f} s"


def migrated_once(fleet: Fleet, replicas: list[Replica]) -> str:
    """One set of rows, one message, and each start is one of the three that there are."""
    names = [row[0] for row in fleet.sql(HISTORY)]
    if not names or len(names) != len(set(names)):
        raise Failed(f"the history is {names}")
    runs = [message.text for each in replicas for message in each.said(COMPLETE)]
    if len(runs) != 1:
        raise Failed(f"migrations were completed {len(runs)} times: {runs}")
    starts = [each.startup() for each in replicas]
    kinds = [(start.get("fast_path"), start.get("lock_acquired")) for start in starts]
    migrated = [kind for kind in kinds if kind == (False, True)]
    others = [kind for kind in kinds if kind in ((False, False), (True, False))]
    # Who got the lock after the one who migrated says so as well, so there may be more than one.
    if not migrated or len(migrated) + len(others) != len(kinds):
        raise Failed(f"the starts say {starts}")
    return f"{len(names)} files, once"


def files_of_owners(fleet: Fleet, count: int) -> str:
    """Each replica has a file in the shared folder, seen from the host, owned by who it runs as."""
    files = sorted((fleet.data / "instances").glob("*.json"))
    if len(files) != count:
        raise Failed(f"{len(files)} files in {fleet.data / 'instances'}, not {count}")
    for file in files:
        json.loads(file.read_text())
        if file.stat().st_uid != fleet.owner:
            raise Failed(f"{file} belongs to {file.stat().st_uid}, not {fleet.owner}")
    return f"{len(files)} files of uid {fleet.owner}"


def served_by_all(fleet: Fleet) -> str:
    """The proxy sends requests to each of them, and all answer."""
    host, port = fleet.address()
    names = {each.name for each in fleet.replicas()}

    def good() -> object:
        answers = [ask(f"http://{host}:{port}/api/health/ready").status for _ in range(2 * len(names))]
        return all(status == 200 for status in answers) or f"{answers}"

    wait_until("the proxy answers", good, 20)
    return f"through {host}:{port}"


def fresh_start(fleet: Fleet, report: Report) -> None:
    """Four at once on a database that has nothing, then four at once on the one that they left."""
    began = time.monotonic()
    fleet.start(REPLICAS)

    def fresh() -> str:
        all_ready(fleet, REPLICAS, 120)
        return f"{time.monotonic() - began:.1f} s after the command"

    if not report.check("four replicas on a fresh database are all ready",
                        fresh):
        return
    replicas = fleet.replicas()
    report.check("they started in parallel", lambda: started_in_parallel(replicas))
    report.check("exactly one of them migrated, once", lambda: migrated_once(fleet, replicas))
    report.check("the shared folder has a file of each, seen from the host", lambda: files_of_owners(fleet, REPLICAS))
    report.check("the proxy reaches them, and they answer", lambda: served_by_all(fleet))
    before = fleet.sql(HISTORY)
    fleet.stop()
    fleet.start(REPLICAS)

    def fast() -> str:
        all_ready(fleet, REPLICAS, 60)
        for each in fleet.replicas():
            if len(each.said(FAST)) != 1 or each.said(LOCK):
                raise Failed(f"{each.name} says {[message.text for message in each.messages()]}")
            start = each.startup()
            if (start.get("fast_path"), start.get("lock_acquired")) != (True, False):
                raise Failed(f"{each.name} says it started so: {start}")
        if fleet.sql(HISTORY) != before:
            raise Failed("the history changed")
        return "no lock line in any log"

    report.check("a second start takes the fast path in all four, without any lock", fast)
    report.check("who ended left no file behind", lambda: files_of_owners(fleet, REPLICAS))


def holder(replicas: list[Replica]) -> Replica:
    """The one that has the lock: the only one that said so and not yet that it is done."""
    having = [each for each in replicas if each.said(r"^Acquired migration lock") and not each.said(COMPLETE)]
    if len(having) != 1:
        raise Failed(f"{len(having)} replicas have the lock")
    return having[0]


def wait_for_holder(fleet: Fleet) -> Replica:
    found: list[Replica] = []

    def holds() -> object:
        found[:] = [each for each in fleet.replicas() if each.said(r"^Acquired migration lock")]
        return len(found) > 0 or "nobody has the lock"

    wait_until("somebody has the lock", holds, 60)
    return holder(fleet.replicas())


def held(fleet: Fleet, report: Report) -> None:
    """A migration that takes 5 s: the others wait beside it, not one after the other."""
    # Beside it, as Compose takes longer to come back than the migration.
    starting = threading.Thread(target=fleet.start, args=(REPLICAS, "holds"))
    starting.start()

    def waiting() -> str:
        migrating = wait_for_holder(fleet)
        waited: set[str] = set()

        def all_three() -> object:
            others = [each for each in fleet.replicas() if each.name != migrating.name and each.name not in waited]
            seen = [(each.name, waits(each)) for each in others]
            waited.update(name for name, state in seen if state is True)
            return len(waited) == REPLICAS - 1 or f"{sorted(waited)} waited; {seen}"

        wait_until("three wait", all_three, 10)
        return "three of them"

    report.check("while one migrates, the others are alive, not ready, and say for whom they wait", waiting)

    starting.join()

    def together() -> str:
        all_ready(fleet, REPLICAS, 60)
        took = {each.name: each.said(READY)[0].at - each.messages()[0].at for each in fleet.replicas()}
        # One after the other would be 20 s and more for the last.
        if max(took.values()) > 10:
            slowest = next(each for each in fleet.replicas() if took[each.name] == max(took.values()))
            raise Failed(f"from the first line to being ready they took {took}; the slowest said {slowest.lines()}")
        return f"from the first line to being ready {min(took.values()):.1f} to {max(took.values()):.1f} s"

    report.check("a migration of 5 s delays all four by 5 s, not by 20 s", together)
    report.check("and was done once", lambda: migrated_once(fleet, fleet.replicas()))
    report.check("they started in parallel all the same", lambda: started_in_parallel(fleet.replicas()))


def waits(replica: Replica) -> object:
    """Alive, not ready, and the answer says why and for whom."""
    alive, ready = ask(f"{replica.operations}/livez"), ask(f"{replica.operations}/readyz")
    told = ask(f"{replica.operations}/api/health/ready").body
    told = told if isinstance(told, dict) else {}
    lock = told.get("migrations", {}).get("lock", {})
    says = told.get("reason") == "migrations_pending" and "waiting since" in told.get("detail", "") and lock.get("holder")
    good = alive.status == 200 and ready.status == 503 and bool(says)
    return good or f"livez {alive.status}, readyz {ready.status}, {json.dumps(told)[:600]}; {replica.lines()[-4:]}"


def killed(fleet: Fleet, report: Report) -> None:
    """The one that migrates dies in the middle."""
    fleet.start(REPLICAS, "holds")

    def proof() -> str:
        victim = wait_for_holder(fleet)
        time.sleep(0.5)
        victim.signal("KILL")
        # Whether somebody starts it again is the business of who runs it: three are enough here.
        left = [each for each in fleet.replicas() if each.name != victim.name]

        def ready() -> object:
            return all(each.is_ready() for each in left) or "not all ready"

        took = wait_until("the others are ready", ready, 60)
        runs = [message.text for each in left for message in each.said(COMPLETE)]
        names = [row[0] for row in fleet.sql(HISTORY)]
        if len(runs) != 1 or len(names) != len(set(names)) or not names:
            raise Failed(f"completed {runs}, history {names}")
        return f"the next one completed it, all ready {took:.1f} s after"

    report.check("killing the replica that migrates leaves a database that the next one completes", proof)


def paused(fleet: Fleet, report: Report) -> None:
    """The one that migrates stops, and does not even die (PostgreSQL)."""
    fleet.start(REPLICAS, "holds-long")

    def proof() -> str:
        victim = wait_for_holder(fleet)
        victim.signal("STOP")
        try:
            left = [each for each in fleet.replicas() if each.name != victim.name]

            def taken() -> object:
                return any(each.said(r"^Acquired migration lock") for each in left) or "nobody else has the lock"

            took = wait_until("another replica has the lock", taken, 45)
            wait_until("the others are ready", lambda: all(each.is_ready() for each in left) or "no", 60)
        finally:
            victim.signal("CONT")
        all_ready(fleet, REPLICAS, 60)
        runs = [message.text for each in fleet.replicas() for message in each.said(COMPLETE)]
        if len(runs) != 1:
            raise Failed(f"completed {len(runs)} times: {runs}")
        names = [row[0] for row in fleet.sql(HISTORY)]
        if len(names) != len(set(names)):
            raise Failed(f"the history is {names}")
        return f"the next one had the lock after {took:.0f} s; the stopped one came back and changed nothing"

    report.check("a replica that is stopped while it migrates (SIGSTOP) holds PostgreSQL up for less than 45 s", proof)


def paused_sqlite(fleet: Fleet, report: Report) -> None:
    """With SQLite the lock is the operating system's: it is waited for, and said for whom."""
    fleet.start(REPLICAS, "holds")

    def proof() -> str:
        victim = wait_for_holder(fleet)
        victim.signal("STOP")
        try:
            left = [each for each in fleet.replicas() if each.name != victim.name]
            # Longer than the migration would have taken.
            end = time.monotonic() + 8
            while time.monotonic() < end:
                if any(each.is_ready() for each in left):
                    raise Failed("a replica is ready although the holder of the lock stands still")
                time.sleep(0.2)
            for each in left:
                wait_until(f"{each.name} waits", lambda each=each: waits(each), 4)
                if not each.said(r"^Waiting for migrations by .*\d"):
                    raise Failed(f"{each.name} does not say for whom it waits: {each.lines()[-2:]}")
        finally:
            victim.signal("CONT")
        took = all_ready(fleet, REPLICAS, 60)
        migrated_once(fleet, fleet.replicas())
        return f"all ready {took:.1f} s after it went on"

    report.check("with SQLite the others wait for a stopped one and say for whom", proof)


def rolled(fleet: Fleet, report: Report) -> None:
    """From version N to N+1, which has a migration, while people read and write."""
    fleet.start(REPLICAS)
    if not report.check("four replicas of version N serve", lambda: f"after {all_ready(fleet, REPLICAS, 120):.1f} s"):
        return
    host, port = fleet.address()
    served_by_all(fleet)
    statuses = {path: ask(f"http://{host}:{port}{path}").status for path in READS}

    def answered() -> str:
        if any(status != 200 for status in statuses.values()):
            raise Failed(f"{statuses}")
        return f"{len(statuses)} addresses"

    # What did not answer before can't tell anything about the roll.
    report.check("pages and API answer before it", answered)
    paths = [path for path, status in statuses.items() if status == 200]
    before = {row[0] for row in fleet.sql(HISTORY)}
    with Load(host, port, paths) as load:
        wait_until("there is load", lambda: min(load.progress()) > 20 or f"{load.progress()} {load.failures[-3:]}", 20)
        said = fleet.roll("next")
        reads, writes = load.progress()

        def goes_on() -> object:
            now = load.progress()
            return (now[0] > reads + 50 and now[1] > writes + 50) or f"{now}"

        wait_until("the load goes on", goes_on, 20)

    def migrated() -> str:
        added = {row[0] for row in fleet.sql(HISTORY)} - before
        runs = [message.text for each in fleet.replicas() for message in each.said(COMPLETE)]
        if len(added) != 1 or len(runs) != 1:
            raise Failed(f"added {added}, completed {runs}; {said}")
        return added.pop()

    def nothing_lost() -> str:
        if load.failures:
            raise Failed(f"{len(load.failures)} requests failed: " + "; ".join(load.failures[:8]))
        return f"{load.reads} reads, {len(load.done)} writes"

    def once() -> str:
        counts = {key: int(count) for key, count in fleet.sql("SELECT key, count FROM test_count")}
        twice = [key for key, count in counts.items() if count != 1]
        lost = set(load.done) - set(counts)
        unanswered = set(counts) - set(load.done)
        if twice or lost or unanswered:
            raise Failed(f"{len(twice)} executed twice, {len(lost)} answered and lost, {len(unanswered)} executed and not answered")
        return f"{len(counts)} rows for {len(load.done)} answers"

    report.check("a rolling restart from N to N+1 migrates once, by a replica of N+1", migrated)
    report.check("no request fails during it", nothing_lost)
    report.check("no write is executed twice or lost", once)
    report.check("all four are of N+1 and ready", lambda: f"{all_ready(fleet, REPLICAS, 10) or 0:.1f} s")
