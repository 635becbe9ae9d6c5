"""All that the command line says, in one place. It speaks English; a translation begins here."""

from __future__ import annotations

ABOUT = "Hand recordings in, follow the fleet, and work on issues, from a shell."
AFTER = (
    "The server is ORCHARD_URL, else that of the file of settings, else this machine's; its token "
    "ORCHARD_TOKEN, else that of the file, else ORCHARD_DATA/token."
)

# options of all commands
URL = "Where the server is."
FILE_OF_TOKEN = "A file that holds the token."  # noqa: S105 - words, no secret
PATIENCE = "How long to go on trying while the server is away, in seconds."
VERSION = "Say which version this is."
JSON = "Answer in JSON: one document, or one object a line for what goes on."
YES = "Do not ask first."

# recordings
SUBMIT = "Hand a recording in; with --wait, print its transcript."
FILE = "The recording; - reads it from standard input."
NAME = "What to call it."
WAIT = "Wait for the transcript."
FORMAT = "Format of the transcript."
OUTPUT = "Write the transcript to this file."
LANGUAGE = "What is spoken, such as en; recognized unless given, or when it is auto."
PROMPT = "Words in the style of the recording, which a transcriber reads first."
HOT_WORD = "A name or term that is likely to be said; may be given several times."
RULES = "Subtitles with the short lines that broadcasters want."
WORDS = "With the times of words, in json."
LINE_CHARS = "Characters of a subtitle's line; 42 with --rules (16 of full width)."
LINES = "Lines of a subtitle; 2 with --rules."
MAX_S = "Seconds that a subtitle is shown at most; 7 with --rules."
MIN_S = "Seconds that a subtitle is shown at least; 5/6 with --rules."
TYPE = "What kind of work the file is, such as text; a recording unless given."
PRIORITY = "low, normal, high, or from 0 to 9; the greatest go first."
REQUIRE = "A label that the workers must have; may be given several times."
AT = "Not to begin before this time, such as 2026-12-24T18:00:00+01:00."
PURIFIER = "Whether to clean the sound first; as you prefer it unless given."
KEY = "Sending the same key again within a day is the same job."
RESUMABLE = "In parts that survive broken connections; large recordings go so anyway."
TIMEOUT = "Wait so long at most, in seconds; the job goes on."
EDITED = "As people have edited it."
UPLOADING = "sending"
NO_FOLDER = "there is no folder {folder} to write to"

SEARCH_SAID = "Find what was said, in all transcripts."
SAID = "Words that were said near each other."
EXPORT = "Write the transcripts of many jobs into one zip."
ZIP = "The zip to write."
IDS = "These jobs instead, by their ids with commas between; 200 at most."

JOBS = "Jobs: list (the default), show, transcript, wait, cancel, retry, pin, delete."
JOBS_LIST = "List jobs, the newest first."
JOBS_SHOW = "Show a job."
JOBS_TRANSCRIPT = "Print the transcript of a job, as far as it is."
JOBS_WAIT = "Wait until a job has ended."
JOBS_CANCEL = "End jobs that have not ended yet."
JOBS_RETRY = "Start failed jobs again."
JOBS_PIN = "Keep finished jobs beyond their time."
JOBS_DELETE = "Delete jobs with their sound and transcripts."
JOB_ID = "The id of a job."
STATUS = "Only those of this status."
SEARCH = "Only those with these words in them."
LIMIT = "How many at most."
SURE_TO_DELETE = "Delete {count} job(s) for good?"

# schedules
SCHEDULES = "Schedules: list (the default), add, enable, disable, remove, run."
SCHEDULES_LIST = "List schedules, those first that are due soonest."
SCHEDULES_ADD = "Hand a file in again and again, at the times of a cron expression."
SCHEDULES_ENABLE = "Let a schedule go on, from its next time on."
SCHEDULES_DISABLE = "Let a schedule rest until it is enabled."
SCHEDULES_REMOVE = "Remove a schedule with its file; the jobs that it led to stay."
SCHEDULES_RUN = "Hand the file of a schedule in at once."
SCHEDULE_ID = "The id of a schedule."
SCHEDULE_NAME = "What to call the schedule; as the file, unless given."
CRON = "Minute, hour, day of the month, month and day of the week, such as '30 6 * * MON-FRI'."
ZONE = "The time zone of these times, such as Europe/Berlin; the server's unless given."
SURE_TO_UNSCHEDULE = "Remove schedule {name} for good?"

# fleet
WORKERS = "Workers: list (the default), show, drain, pause, resume, remove."
WORKERS_LIST = "List the workers of the fleet."
WORKERS_SHOW = "Show a worker."
WORKERS_DRAIN = "Let workers finish what they have, and give them no more."
WORKERS_PAUSE = "Give workers no more work until they are resumed."
WORKERS_RESUME = "Give workers work again."
WORKERS_REMOVE = "Take workers out of the fleet."
WORKER_ID = "The name of a worker."

# issues
ISSUES = "Issues: list (the default), show, checkout, heartbeat, checkin, run, orphans."
ISSUES_LIST = "List issues, those first whose state changed last."
ISSUES_SHOW = "Show an issue."
ISSUES_CHECKOUT = "Take an issue; its token goes with every report on it."
ISSUES_HEARTBEAT = "Keep a check-out alive."
ISSUES_CHECKIN = "Give an issue back, with what came of it."
ISSUES_RUN = (
    "Check an issue out, run a command, and check the issue in: completed, or error if it fails. "
    "It is kept alive meanwhile. The command finds ORCHARD_ISSUE and ORCHARD_ISSUE_TOKEN."
)
ISSUES_ORPHANS = "List issues whose process is gone; with --repair, give them back."
ISSUE = "The number of an issue."
PROCESS = "Who takes it."
HOLDER = "Who holds it."
CLAIM = "The token of the check-out."
TASK = "What is to be done with it."
TTL = "How long it is held without a sign of life, in seconds."
NEW_STATUS = "Its status from now on."
RESULT = "What came of it, as JSON."
REPAIR = "Give them back."
COMMAND = "The command and its arguments, after --."
NOBODY_HOLDS = "nobody holds issue {number}"
NO_CLAIMANT = "say who holds it, by --process or --token"

# state
STATE = "Values by namespace and key: list, get, set, delete, watch."
STATE_LIST = "List namespaces, or the entries of one."
STATE_GET = "Print a value as JSON."
STATE_SET = "Set a value."
STATE_DELETE = "Delete a value."
STATE_WATCH = "Tell each change of a namespace, until Ctrl-C."
NAMESPACE = "The namespace."
ENTRY_KEY = "The key."
VALUE = "The value as JSON; - reads it from standard input."
TEXT = "The value is a text, not JSON."
IF_TAG = "Only if the entry still has this tag."
IF_ABSENT = "Only if there is no such entry."

# webhooks
WEBHOOKS = "Webhooks: list (the default), add, remove, test."
WEBHOOKS_LIST = "List webhooks, the oldest first."
WEBHOOKS_ADD = "Have a program told of what happens from now on; its secret is shown this once."
WEBHOOKS_REMOVE = "Have a program told no longer, and forget what it was told."
WEBHOOKS_TEST = "Send a message of the type webhook.test."
WEBHOOK_ID = "The id of a webhook."
WEBHOOK_URL = "Where messages are sent to."
WEBHOOK_TYPE = "Tell it of these events alone, such as job.completed; may be repeated."
WEBHOOK_DESCRIPTION = "What it is for."
SURE_TO_REMOVE = "Remove webhook {name} for good?"

# what happens
LOGS = "Find log lines of all processes, oldest first; -f goes on with new ones."
FOLLOW = "Go on with new ones, until Ctrl-C."
LAST = "How many lines."
LEVEL = "Lines at least this grave."
OF_PROCESS = "Lines of this process."
OF_WORKER = "Lines of this worker."
OF_JOB = "Lines of this job."
OF_ISSUE = "Lines of this issue."
SINCE = "Lines of this time or later: 10m, 2h, 3d, or a moment such as 2026-11-21T08:00."
EVENTS = "List the events that are kept; -f follows them from now on."
NAMES = "Only events of this kind (job) or name (job.advanced); may be repeated."
CURSOR = "Begin after this cursor."

# the server
WHOAMI = "Say which server is asked, and what its token may do."
HEALTH = "Say whether the server can work."

# titles of columns
T_ID, T_NAME, T_STATUS, T_DONE, T_CREATED, T_LENGTH = (
    "job", "name", "status", "chunks", "created", "length",
)  # fmt: skip
T_WORKER, T_CHUNKS, T_SEEN, T_NOTE = "worker", "holds", "heard of", "note"
T_ISSUE, T_HOLDER, T_TASK, T_LEASE = "issue", "holder", "task", "held until"
T_REASON, T_NAMESPACE, T_ENTRIES, T_KEY, T_VALUE = "reason", "namespace", "entries", "key", "value"
T_VERSION = "version"
T_CRON, T_ZONE, T_NEXT, T_LAST, T_CAME = "times", "zone", "next", "last", "came of it"
T_TIME, T_SAID = "at", "said"
T_WEBHOOK, T_URL, T_TYPES, T_WAITING, T_FAILED, T_DELIVERY = (
    "webhook", "url", "types", "waiting", "failed", "delivery",
)  # fmt: skip
NOTHING = "Nothing found."
WAITS = "It waits: {reason}"

# faults
PROGRAM = "orchard"
NOT_JSON = "that is no JSON: {reason} (for a text: --text)"
NOT_TIME = "{text!r} is no time such as 10m, 2h, 3d or 2026-11-21T08:00"
SIGN_IN_HINT = "set ORCHARD_TOKEN, or use --token-file"
