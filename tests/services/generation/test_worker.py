"""Work on tasks, end to end."""

from inkweld.generation.v1 import generations_pb2 as pb

from tests.services.generation.conftest import Workshop


async def test_a_generation_becomes_drafts_and_tells_how(workshop: Workshop) -> None:
    generation = await workshop.create(count=3, seed=5)

    async with workshop.working():
        events = await workshop.watched(generation)

    assert [event.number for event in events] == list(range(1, len(events) + 1))
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "queued" and kinds[-1] == "finished" and kinds.count("image_ready") == 3
    ended = events[-1].finished.generation
    assert ended.state == pb.Generation.SUCCEEDED
    assert [image.index for image in ended.images] == [0, 1, 2]
    assert ended == await workshop.stub.GetGeneration(pb.GetGenerationRequest(name=generation.name))
