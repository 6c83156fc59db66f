"""Makes `gen/` from the protos: messages, stubs, their types, and the descriptor set that buf reads."""

import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc
from protovalidate._gen.buf.validate.validate_pb import desc

PROTOS = Path(__file__).resolve().parent
GEN = PROTOS.parent / "gen"
# googleapis-common-protos installs its sources beside the modules, and grpc_tools brings google.protobuf's.
INCLUDES = (PROTOS, Path(grpc_tools.__file__).parents[1], Path(grpc_tools.__file__).parent / "_proto")


def rules() -> FileDescriptorSet:
    """`buf.validate` as the installed package describes it, so that its source need not be copied here."""
    needed = (descriptor_pb2, duration_pb2, field_mask_pb2, timestamp_pb2)
    files = [FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb) for module in needed]
    return FileDescriptorSet(file=[*files, FileDescriptorProto.FromString(desc().proto.to_binary())])


def generate(out: Path) -> None:
    """Run protoc over everything into `out`; `buf.validate` too, because the generated code imports it."""
    described = out / "rules.binpb"
    described.write_bytes(rules().SerializeToString())
    sources = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    common = ["protoc", f"--descriptor_set_in={described}", *(f"--proto_path={path}" for path in INCLUDES)]
    plugins = [f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}"]
    messages = [f"--python_out={out}", f"--pyi_out={out}", *sources, "buf/validate/validate.proto"]
    stubs = [
        f"--grpc_python_out={out}",
        f"--mypy_grpc_out=generate_concrete_servicer_stubs,quiet:{out}",
        *sources,
    ]
    description = [
        f"--descriptor_set_out={out}/inkweld.binpb",
        "--include_imports",
        "--include_source_info",
        *sources,
    ]
    for arguments in (messages, plugins + stubs, description):
        if code := protoc.main([*common, *arguments]):
            sys.exit(code)


def main() -> None:
    """Build beside `gen/` and swap, so that a failed run leaves the last good one."""
    with tempfile.TemporaryDirectory(dir=PROTOS.parent) as made:
        out = Path(made, "gen")
        out.mkdir()
        generate(out)
        shutil.rmtree(GEN, ignore_errors=True)
        out.rename(GEN)


if __name__ == "__main__":
    main()
