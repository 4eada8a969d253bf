// A resident's journey with the generated types only: sign-in, verification, address, guide, upload, draft, submission; then the
// decision, the parcel and the inbox. tests/it/source/typescript.rs supplies the resident's input and plays the officer.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import createClient, { type Middleware } from "openapi-fetch";

import type { paths } from "./generated/mobile.js";

const PDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
  + "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n"
  + "trailer<</Root 1 0 R>>\n%%EOF\n";

const client = createClient<paths>({ baseUrl: given("SONGDA_API_URL") });

function given(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is set`);
  return value;
}

/** Returns the answer's body. An error (a problem, RFC 9457) ends the journey. */
function body<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  assert.ok(answer.response.ok, `${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data as T;
}

function etag(answer: { response: Response }): string {
  const tag = answer.response.headers.get("etag");
  assert.ok(tag, "the answer has an ETag");
  return tag;
}

async function signIn(): Promise<void> {
  const session = body(await client.POST("/v1/sessions/wechat", { body: { code: given("SONGDA_WECHAT_CODE") } }));
  const withToken: Middleware = {
    onRequest({ request }) {
      request.headers.set("authorization", `Bearer ${session.access_token}`);
      return request;
    },
  };
  client.use(withToken);
  const identity = { name: "王小明", resident_id: "320422198506150024" };
  const me = body(await client.PUT("/v1/me/identity", { body: identity }));
  assert.ok(me.verified, "the resident is verified");
}

async function addAddress(): Promise<string> {
  const home = { name: "王小明", phone: "13912340001", region: "320413", detail: "西城街道清风路1号", is_default: true };
  const added = body(await client.POST("/v1/addresses", { body: home }));
  assert.equal(added.county, "金坛区");
  return added.id;
}

async function upload(): Promise<string> {
  const file = new Blob([PDF], { type: "application/pdf" });
  const uploaded = body(
    await client.POST("/v1/uploads", {
      // The generated type of a binary part is string, and openapi-fetch needs a Blob.
      body: { file: file as unknown as string },
      bodySerializer: () => {
        const form = new FormData();
        form.set("file", file, "scan.pdf");
        return form;
      },
    }),
  );
  assert.equal(uploaded.content_type, "application/pdf");
  return uploaded.id;
}

async function apply(item: string, form: Record<string, unknown>, address: string): Promise<string> {
  const guide = body(await client.GET("/v1/items/{code}", { params: { path: { code: item } } }));
  const materials = [];
  for (const material of guide.materials) {
    if (material.needs_upload) {
      materials.push({ key: material.key, uploads: [await upload()] });
    }
  }
  const id = given("SONGDA_DRAFT_ID");
  const begun = await client.PUT("/v1/drafts/{id}", {
    params: { path: { id }, header: { "If-None-Match": "*" } },
    body: { item_code: item, form: {}, materials: [] },
  });
  body(begun);
  const path = { path: { id }, header: { "If-Match": etag(begun) } };
  assert.ok(materials.length > 0, "the item needs a file");
  const draft = { item_code: item, form, materials, delivery: { way: "courier" as const, address } };
  body(await client.PUT("/v1/drafts/{id}", { params: path, body: draft }));
  const stale = await client.PUT("/v1/drafts/{id}", { params: path, body: draft });
  assert.equal(stale.response.status, 412, "a stale version of the draft is refused");
  return id;
}

async function submit(draft: string): Promise<string> {
  const params = { header: { "Idempotency-Key": randomUUID() } };
  const first = body(await client.POST("/v1/cases", { params, body: { draft } }));
  const again = await client.POST("/v1/cases", { params, body: { draft } });
  assert.deepEqual(body(again), first, "a repeated submission gets the first answer");
  assert.equal(again.response.headers.get("idempotent-replayed"), "true");
  return first.id;
}

/** Polls for changes until `find` returns a value. */
async function waitFor<T>(find: () => Promise<T | undefined>): Promise<T> {
  let cursor = body(await client.GET("/v1/changes")).next_cursor;
  for (;;) {
    const found = await find();
    if (found !== undefined) {
      return found;
    }
    const params = { query: { cursor, wait: 20 } };
    cursor = body(await client.GET("/v1/changes", { params })).next_cursor ?? cursor;
  }
}

async function follow(id: string): Promise<void> {
  const path = { path: { id } };
  const mine = body(await client.GET("/v1/cases"));
  assert.ok(mine.data.some((one) => one.id === id), "the case is in the list");
  await waitFor(async () => {
    const read = body(await client.GET("/v1/cases/{id}", { params: path }));
    return read.state === "granted" ? read : undefined;
  });
  const parcel = await waitFor(async () => {
    const parcels = body(await client.GET("/v1/cases/{id}/parcels", { params: path }));
    return parcels.data.find((one) => one.waybill);
  });
  assert.equal(parcel.carrier, "ems");
  const timeline = body(await client.GET("/v1/cases/{id}/timeline", { params: path }));
  assert.ok(timeline.data.length >= 3, "the case has a timeline");
}

async function readInbox(id: string): Promise<void> {
  const unread = async () => body(await client.GET("/v1/notifications/unread-count")).unread;
  const inbox = body(await client.GET("/v1/notifications", { params: { query: { unread: true } } }));
  const granted = inbox.data.find((one) => one.case === id && one.event === "granted");
  assert.ok(granted, "the decision is in the inbox");
  const before = await unread();
  const read = await client.PUT("/v1/notifications/{id}/read", { params: { path: { id: granted.id } } });
  assert.equal(read.response.status, 204);
  assert.equal(await unread(), before - 1, "a read notification is no longer counted");
}

async function main(): Promise<void> {
  const item = given("SONGDA_ITEM");
  const found = body(await client.GET("/v1/items", { params: { query: { mode: "mobile", limit: 5 } } }));
  assert.equal(found.data.length, 5);
  await signIn();
  const draft = await apply(item, JSON.parse(given("SONGDA_FORM")), await addAddress());
  const id = await submit(draft);
  await follow(id);
  await readInbox(id);
  console.log(`notified and delivered: ${id}`);
}

await main();
