// BullMQ with the same jobs as the product: `fill N` adds them one by one, `work` posts each to the sink, 64 at once.
// Everything else is BullMQ's default, so finished jobs are kept.
import http from "node:http";
import { Queue, Worker } from "bullmq";

const redis = new URL(process.env.SONGDA_REDIS_URL);
const connection = { host: redis.hostname, port: redis.port, username: redis.username, password: redis.password };
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

const post = (body) =>
  new Promise((resolve, reject) => {
    const request = http.request(process.env.SINK_URL, { agent, method: "POST" }, (answer) => {
      answer.resume();
      answer.on("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`))));
    });
    request.on("error", reject);
    request.end(body);
  });

const message = (number) => `PhoneNumbers=${13000000000 + number}&${process.env.MESSAGE}`;

if (process.argv[2] === "fill") {
  const queue = new Queue("bench", { connection });
  const [jobs, together] = [Number(process.argv[3]), 64];
  for (let first = 0; first < jobs; first += together) {
    const numbers = Array.from({ length: Math.min(together, jobs - first) }, (_, at) => first + at);
    await Promise.all(numbers.map((number) => queue.add("push", { body: message(number) })));
  }
  await queue.close();
} else {
  new Worker("bench", (job) => post(job.data.body), { connection, concurrency: 64 });
}
