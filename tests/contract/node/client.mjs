// What an existing agent does: requests on one channel, answers on the other, matched by requestId.
// Written from the wire protocol alone; it knows nothing of the other side.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import Redis from "ioredis";

const REQUESTS = "poppo:channel:mirin:requests";
const RESPONSES = "poppo:channel:mirin:responses";
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const PATIENCE_MS = 10_000;

class MirinClient {
  constructor(url, processId) {
    this.processId = processId;
    this.publisher = new Redis(url);
    this.subscriber = new Redis(url);
    this.waiting = new Map();
    this.subscriber.on("message", (_, text) => this.hear(JSON.parse(text)));
  }

  async connect() {
    await this.subscriber.subscribe(RESPONSES);
  }

  hear(answer) {
    const resolve = this.waiting.get(answer.requestId);
    this.waiting.delete(answer.requestId);
    resolve?.(answer);
  }

  ask(action, payload = {}) {
    const requestId = randomUUID();
    const { processId } = this;
    const timestamp = new Date().toISOString();
    const request = { requestId, action, processId, pid: process.pid, timestamp, ...payload };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${action}`)), PATIENCE_MS);
      this.waiting.set(requestId, (answer) => {
        clearTimeout(timer);
        assert.match(answer.timestamp, ISO);
        resolve(answer);
      });
      this.publisher.publish(REQUESTS, JSON.stringify(request));
    });
  }

  async do(action, payload) {
    const answer = await this.ask(action, payload);
    assert.equal(answer.success, true, answer.error);
    return answer;
  }

  async refused(action, payload) {
    const answer = await this.ask(action, payload);
    assert.equal(answer.success, false, JSON.stringify(answer));
    assert.equal(typeof answer.stack, "string");
    return answer.error;
  }

  close() {
    this.publisher.disconnect();
    this.subscriber.disconnect();
  }
}

const [url] = process.argv.slice(2);
const one = new MirinClient(url, "claude-1");
const other = new MirinClient(url, "claude-2");
await one.connect();
await other.connect();

const checkedOut = await one.do("checkout_issue", { issueNumber: 123, taskType: "claude-cli" });
assert.equal(checkedOut.issueNumber, 123);
assert.equal(checkedOut.processId, "claude-1");
assert.equal(checkedOut.status, "processing");
assert.equal(typeof checkedOut.message, "string");

assert.equal(
  await other.refused("checkout_issue", { issueNumber: 123, taskType: "claude-cli" }),
  "Issue #123 is already being processed by claude-1",
);
assert.equal(
  await other.refused("checkin_issue", { issueNumber: 123, finalStatus: "completed" }),
  "Issue #123 is not checked out by process claude-2",
);

const beat = await one.do("heartbeat");
assert.equal(beat.processId, "claude-1");
assert.equal(beat.ttl, 1800);

const listed = await one.do("list_processing_issues");
assert.equal(listed.count, 1);
assert.equal(listed.issues[0].issueNumber, 123);
assert.equal(listed.issues[0].processId, "claude-1");
assert.equal(listed.issues[0].pid, String(process.pid));
assert.equal(listed.issues[0].taskType, "claude-cli");

const busy = await other.do("get_issue_status", { issueNumber: 123 });
assert.equal(busy.status.status, "processing");
assert.match(busy.status.startTime, ISO);
assert.deepEqual(busy.metadata, {});

const checkedIn = await one.do("checkin_issue", {
  issueNumber: 123,
  finalStatus: "completed",
  metadata: { summary: "直しました", files: 3 },
});
assert.equal(checkedIn.issueNumber, 123);
assert.equal(checkedIn.processId, "claude-1");
assert.equal(checkedIn.finalStatus, "completed");

const done = await other.do("get_issue_status", { issueNumber: 123 });
assert.equal(done.issueNumber, 123);
assert.equal(done.status.status, "completed");
assert.deepEqual(done.metadata, { summary: "直しました", files: "3" });

const unknown = await other.do("get_issue_status", { issueNumber: 999 });
assert.deepEqual([unknown.status, unknown.metadata], [{}, {}]);

await other.do("checkout_issue", { issueNumber: 7, taskType: "claude-cli" });
const cleaned = await other.do("cleanup_process");
assert.equal(cleaned.processId, "claude-2");
assert.equal(cleaned.issueNumber, 7);
const failed = await one.do("get_issue_status", { issueNumber: 7 });
assert.equal(failed.status.status, "error");
const nothing = await other.do("cleanup_process");
assert.equal("issueNumber" in nothing, false);

const empty = await one.do("list_processing_issues");
assert.deepEqual([empty.count, empty.issues], [0, []]);

assert.equal(await one.refused("make_coffee"), "Unknown action: make_coffee");

// Many at once: each gets the answer to its own request.
const numbers = Array.from({ length: 50 }, (_, i) => 1000 + i);
const many = await Promise.all(numbers.map((n) => one.do("checkout_issue", { issueNumber: n })));
assert.deepEqual(many.map((answer) => answer.issueNumber), numbers);
assert.equal((await one.do("list_processing_issues")).count, 50);

one.close();
other.close();
console.log("all as the protocol says");
