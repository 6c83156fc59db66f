// Drives fal's official JavaScript client: its hosts are built in, so its `fetch` goes where we say.
// Usage: node fal_client.mjs <a file beside the folder node_modules> <the sandbox> <key>; prints what it saw.
import { createRequire } from "node:module";

const [beside, sandbox, credentials] = process.argv.slice(2);
const { createFalClient } = createRequire(beside)("@fal-ai/client");
const PATHS = { "queue.fal.run": "queue", "fal.run": "run", "rest.fal.ai": "rest" };

function moved(input, init) {
  const url = new URL(input);
  const path = PATHS[url.host];
  return fetch(path ? `${sandbox}/fal/${path}${url.pathname}${url.search}` : url, init);
}

const fal = createFalClient({ credentials, fetch: moved, retry: { maxRetries: 0 } });
const input = { prompt: "a fox", image_size: { width: 256, height: 256 } };
const seen = { polled: [], streamed: [] };

const drawn = await fal.subscribe("fal-ai/flux/schnell", {
  input,
  pollInterval: 50,
  onQueueUpdate: ({ status }) => seen.polled.push(status),
});
seen.images = drawn.data.images.length;

await fal.subscribe("fal-ai/flux/schnell", {
  input,
  mode: "streaming",
  onQueueUpdate: ({ status }) => seen.streamed.push(status),
});

const file = new File([new Uint8Array([1, 2, 3])], "three.png", { type: "image/png" });
seen.uploaded = (await (await fetch(await fal.storage.upload(file))).arrayBuffer()).byteLength;

seen.refused = await fal.run("fal-ai/nano-banana", { input: {} }).catch((error) => error.body.detail[0].type);

console.log(JSON.stringify(seen));
