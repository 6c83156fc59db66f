// Makes src/gen from gen/inkweld.binpb, the descriptor set of our protos: TypeScript types of every message's JSON.
// protoc would only hand the same descriptors on, so the plugin is called directly.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

const here = dirname(fileURLToPath(import.meta.url));
const descriptors = join(here, "../gen/inkweld.binpb");
const out = join(here, "src/gen");

if (!existsSync(descriptors)) {
  console.error("gen/inkweld.binpb is missing: run `make protos` first.");
  process.exit(1);
}

const { file } = fromBinary(FileDescriptorSetSchema, readFileSync(descriptors));
const request = create(CodeGeneratorRequestSchema, {
  protoFile: file,
  sourceFileDescriptors: file,
  fileToGenerate: file.map(({ name }) => name).filter((name) => !name.startsWith("google/protobuf/")),
  parameter: "target=ts,json_types=true",
});
const plugin = spawnSync(process.execPath, [join(here, "node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es")], {
  input: toBinary(CodeGeneratorRequestSchema, request),
  maxBuffer: 64 << 20,
  stdio: ["pipe", "pipe", "inherit"],
});
if (plugin.status !== 0) process.exit(plugin.status ?? 1);

const response = fromBinary(CodeGeneratorResponseSchema, plugin.stdout);
if (response.error) {
  console.error(response.error);
  process.exit(1);
}
rmSync(out, { recursive: true, force: true });
for (const { name, content } of response.file) {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), content);
}
