// Talks to `sockman http` by Node's http, and over TCP by fetch. The argument is where: HOST:PORT or unix:PATH.

import assert from "node:assert/strict";
import http from "node:http";

const at = process.argv[2];
const isUnix = at.startsWith("unix:");
const where = isUnix
  ? { socketPath: at.slice("unix:".length), host: "localhost" }
  : { host: at.split(":")[0], port: Number(at.split(":")[1]) };
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

function ask(method, path, { body, pieces, headers = {}, agent: other = agent } = {}) {
  return new Promise((resolve, reject) => {
    if (body !== undefined) headers["Content-Length"] = Buffer.byteLength(body);
    const request = http.request({ ...where, method, path, headers, agent: other, timeout: 60000 });
    let continued = false;
    request.on("error", reject);
    request.on("timeout", () => reject(new Error(method + " " + path + " takes too long")));
    request.on("continue", () => {
      continued = true;
      request.end(body);
    });
    request.on("response", response => {
      const parts = [];
      response.on("error", reject);
      response.on("data", part => parts.push(part));
      response.on("end", () => resolve({
        status: response.statusCode,
        headers: response.headers,
        body: Buffer.concat(parts),
        port: request.socket?.localPort,
        continued,
      }));
    });
    if (headers.Expect) {
      request.flushHeaders();
    } else if (pieces) {
      for (const piece of pieces) request.write(piece);
      request.end();
    } else {
      request.end(body);
    }
  });
}

const hello = await ask("GET", "/hello");
assert.equal(hello.status, 200);
assert.equal(hello.body.toString(), "Hello, world!");
for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
  const echo = await ask(method, "/echo", { body: "body" });
  assert.equal(echo.body.toString(), "body", method);
}
assert.equal((await ask("HEAD", "/hello")).headers["content-length"], "13");

const large = Buffer.alloc(5_000_000, "0123456789");
assert.ok((await ask("POST", "/", { body: large })).body.equals(large));
const chunked = await ask("PUT", "/", { pieces: ["a", "b".repeat(100_000), "c"] });
assert.equal(chunked.body.toString(), "a" + "b".repeat(100_000) + "c");
const expected = await ask("POST", "/", { body: "after 100", headers: { Expect: "100-continue" } });
assert.ok(expected.continued);
assert.equal(expected.body.toString(), "after 100");

assert.equal((await ask("GET", "/stream/1000000?chunked")).body.length, 1_000_000);
assert.equal((await ask("GET", "/nowhere")).status, 404);
const refused = await ask("DELETE", "/hello");
assert.equal(refused.headers.allow, "GET, HEAD, OPTIONS");

const many = await Promise.all(Array.from({ length: 400 }, (_, i) => ask("GET", i % 2 ? "/worker" : "/hello")));
assert.ok(many.every(answer => answer.body.toString() === "Hello, world!"));
if (!isUnix) assert.ok(new Set(many.map(answer => answer.port)).size <= 4, "connections are kept");

const closing = await ask("GET", "/hello", { agent: false, headers: { Connection: "close" } });
assert.equal(closing.headers.connection, "close");

// Events come one by one, and the client may leave at any time.
await new Promise((resolve, reject) => {
  const request = http.get({ ...where, path: "/sse", agent: false }, response => {
    let text = "";
    response.on("data", part => {
      text += part;
      if (!text.includes("tick 2")) return;
      assert.ok(text.startsWith("id: 0\ndata: tick 0\n\nid: 1\n"), text);
      request.destroy();
      resolve();
    });
  });
  request.on("error", reject);
});

if (!isUnix) {
  const base = "http://" + at;
  const texts = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const response = await fetch(base + "/echo", { method: "POST", body: "number " + i });
    return await response.text() === "number " + i;
  }));
  assert.ok(texts.every(Boolean));
}
agent.destroy();
console.log("good");
