// BullMQ: `fill COUNT` puts jobs in; `work CONCURRENCY` does them until it is told to stop.
"use strict";

const fs = require("node:fs");
const { Queue, Worker } = require("bullmq");

const QUEUE = "work";
const PAYLOAD = "x".repeat(300);
const RESULT = "spoken words ".repeat(40);
const BULK = 500;

const at = new URL(process.env.PEER_URL);
const connection = {
  host: at.hostname,
  port: Number(at.port),
  db: Number(at.pathname.slice(1)),
  maxRetriesPerRequest: null,
};

async function fill(count) {
  const queue = new Queue(QUEUE, { connection });
  for (let left = count; left > 0; left -= BULK) {
    const some = { length: Math.min(left, BULK) };
    await queue.addBulk(Array.from(some, () => ({ name: "do", data: { payload: PAYLOAD } })));
  }
  await queue.close();
}

function work(concurrency) {
  const marks = fs.openSync(process.env.PEER_MARKS, "a");
  const once = async () => {
    fs.writeSync(marks, `${process.hrtime.bigint().toString().padStart(20, "0")}\n`);
    return RESULT;
  };
  const worker = new Worker(QUEUE, once, { connection, concurrency });
  worker.on("error", (fault) => console.error(fault));
  process.on("SIGTERM", () => worker.close().then(() => process.exit(0)));
}

const [what, number] = process.argv.slice(2);
({ fill, work })[what](Number(number));
