"""What a client can do, by the kind of thing."""

from __future__ import annotations

from orchard_client import procedures, sending
from orchard_client.calls import (
    issues,
    jobs,
    processes,
    reading,
    schedules,
    state,
    uploads,
    webhooks,
    workers,
)
from orchard_client.operations import D, Feed, Group, Operation, Procedure, listing


class Jobs(Group[D]):
    """Recordings, and their transcripts."""

    submit = Procedure(sending.submit)
    submit_at_once = Operation(jobs.create_job)
    transcribe = Procedure(procedures.transcribe)
    wait = Procedure(procedures.wait_for_job)
    get = Operation(jobs.get_job)
    list = listing(jobs.list_jobs)
    page = Operation(jobs.list_jobs)
    transcript = Operation(jobs.get_transcript)
    output = Operation(jobs.get_output)
    search_transcripts = listing(jobs.search_transcripts)
    search_page = Operation(jobs.search_transcripts)
    export = Operation(jobs.export_jobs)
    cancel = Operation(jobs.cancel_job)
    retry = Operation(jobs.retry_job)
    pin = Operation(jobs.pin_job)
    delete = Operation(jobs.delete_job)
    get_purifier = Operation(jobs.get_purifier)
    set_purifier = Operation(jobs.set_purifier)


class Uploads(Group[D]):
    """Recordings in parts; ``jobs.submit`` does all of it."""

    begin = Operation(uploads.create_upload)
    get = Operation(uploads.get_upload)
    send_part = Operation(uploads.send_upload_part)
    give_up = Operation(uploads.delete_upload)


class Schedules(Group[D]):
    """Files that are handed in again and again."""

    list = Operation(schedules.list_schedules)
    get = Operation(schedules.get_schedule)
    create = Operation(schedules.create_schedule)
    update = Operation(schedules.update_schedule)
    delete = Operation(schedules.delete_schedule)
    run = Operation(schedules.run_schedule)


class Workers(Group[D]):
    """The fleet."""

    list = Operation(workers.list_workers)
    get = Operation(workers.get_worker)
    register = Operation(workers.register_worker)
    heartbeat = Operation(workers.send_heartbeat)
    claim = Operation(workers.claim_chunks)
    exchange = Operation(workers.exchange_chunks)
    drain = Operation(workers.drain_worker)
    pause = Operation(workers.pause_worker)
    resume = Operation(workers.resume_worker)
    remove = Operation(workers.remove_worker)
    chunk_audio = Operation(workers.get_chunk_audio)
    report_progress = Operation(workers.report_progress)
    complete_chunk = Operation(workers.complete_chunk)
    fail_chunk = Operation(workers.fail_chunk)


class Issues(Group[D]):
    """Issues that agents work on."""

    list = listing(issues.list_issues)
    page = Operation(issues.list_issues)
    get = Operation(issues.get_issue)
    statistics = Operation(issues.get_issue_statistics)
    history = Operation(issues.get_issue_history)
    check_out = Operation(issues.check_out_issue)
    heartbeat = Operation(issues.send_issue_heartbeat)
    check_in = Operation(issues.check_in_issue)
    update = Operation(issues.update_issue)
    reset = Operation(issues.reset_issue)
    orphans = Operation(issues.list_orphans)
    repair_orphans = Operation(issues.repair_orphans)


class Processes(Group[D]):
    """Processes that work on issues."""

    list = listing(processes.list_processes)
    page = Operation(processes.list_processes)
    get = Operation(processes.get_process)
    register = Operation(processes.register_process)
    heartbeat = Operation(processes.send_process_heartbeat)
    end = Operation(processes.end_process)
    zombies = Operation(processes.list_zombies)
    clean_zombies = Operation(processes.clean_zombies)


class Locks(Group[D]):
    """Locks, for whatever else must not be done by two at once."""

    list = listing(processes.list_locks)
    page = Operation(processes.list_locks)
    get = Operation(processes.get_lock)
    acquire = Operation(processes.acquire_lock)
    renew = Operation(processes.renew_lock)
    release = Operation(processes.release_lock)


class Labels(Group[D]):
    """Requests to change the labels of issues."""

    list = listing(processes.list_label_requests)
    page = Operation(processes.list_label_requests)
    get = Operation(processes.get_label_request)
    retry = Operation(processes.retry_label_request)
    retry_all = Operation(processes.retry_label_requests)


class State(Group[D]):
    """Values by namespace and key."""

    namespaces = Operation(state.list_namespaces)
    namespace = Operation(state.get_namespace)
    replace = Operation(state.replace_namespace)
    clear = Operation(state.clear_namespace)
    get = Operation(state.get_entry)
    set = Operation(state.put_entry)
    delete = Operation(state.delete_entry)
    change = Operation(state.change_state)
    changes = Operation(state.watch_namespace)
    watch = Feed(procedures.watch)


class Logs(Group[D]):
    """Log lines of all processes."""

    search = listing(reading.search_logs)
    page = Operation(reading.search_logs)
    follow = Feed(procedures.follow_logs)
    send = Operation(reading.send_logs)


class Events(Group[D]):
    """Everything that happens."""

    page = Operation(reading.list_events)
    follow = Feed(procedures.follow_events)


class Webhooks(Group[D]):
    """Programs that are told of what happens."""

    list = Operation(webhooks.list_webhooks)
    get = Operation(webhooks.get_webhook)
    create = Operation(webhooks.create_webhook)
    update = Operation(webhooks.update_webhook)
    delete = Operation(webhooks.delete_webhook)
    rotate = Operation(webhooks.rotate_webhook)
    test = Operation(webhooks.test_webhook)
    deliveries = listing(webhooks.list_deliveries)
    deliveries_page = Operation(webhooks.list_deliveries)
    replay = Operation(webhooks.replay_delivery)
    replay_failed = Operation(webhooks.replay_failed_deliveries)


class Site(Group[D]):
    """The server itself."""

    whoami = Operation(reading.whoami)
    health = Procedure(procedures.health)
