"""fal's queue, and the direct call that does without it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from deploy.sandbox import fal_errors as errors
from deploy.sandbox import fal_facts as facts
from deploy.sandbox import fal_input
from deploy.sandbox.desk import Done, Order, Refusal, refusal
from deploy.sandbox.fal_door import authorize, origin, read_object
from deploy.sandbox.fal_input import Asked
from deploy.sandbox.fal_jobs import Job, Jobs, Stage
from deploy.sandbox.fal_loader import Loader
from deploy.sandbox.fal_output import Painter, units
from deploy.sandbox.faults import Faulty
from deploy.sandbox.scripts import Act

LOOK_SECONDS = 0.02
CANCELS = {
    "": (202, {"status": "CANCELLATION_REQUESTED"}),
    "ignored": (202, {"status": "CANCELLATION_REQUESTED"}),
    "ok": (200, {"status": "OK"}),
    "success": (200, {"success": True}),
}


class Queue:
    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._desk = painter.desk
        self._jobs = Jobs(painter)

    def routes(self) -> list[Mount]:
        job = "/{owner}/{name}/requests/{id}"
        queue = [
            Route(f"{job}/status", self.status),
            Route(f"{job}/status/stream", self.stream),
            Route(f"{job}/cancel", self.cancel, methods=["PUT"]),
            Route(f"{job}/response", self.result),
            Route(job, self.result),
            Route("/{endpoint:path}", self.submit, methods=["POST"]),
        ]
        run = [Route("/{endpoint:path}", self.run, methods=["POST"])]
        return [Mount("/queue", routes=queue), Mount("/run", routes=run)]

    async def submit(self, request: Request) -> Response:
        model, body = await _read(request)
        own = origin(request)
        asked = await self._asked(model, body, own)
        call, act = await self._desk.accept(request, _order(model, body, asked))
        if act.refuses and not act.late:
            raise refusal(act, errors.refuse)
        stores = request.headers.get("x-fal-store-io") != "0"
        job = Job(call, act, model.app, asked, own, stores)
        await self._jobs.add(job)
        return Faulty(_json(self._told(job), headers=_headers(job)), act)

    async def run(self, request: Request) -> Response:
        model, body = await _read(request)
        own = origin(request)
        asked = await self._asked(model, body, own)
        if isinstance(asked, Refusal):
            raise asked

        async def work(act: Act) -> Done:
            await asyncio.sleep(self._desk.pause(act))
            output = await self._painter.paint(asked, own, act)
            headers = units(asked, act) | {"x-fal-request-id": f"{request.state.call.number}"}
            return Done(_json(output, headers=headers))

        return await self._desk.take(request, _order(model, body, asked), errors.refuse, work)

    async def _asked(self, model: facts.Model, body: dict[str, Any], own: str) -> Asked | Refusal:
        """The checked input. What is wrong with it the queue tells only when it is asked for the result."""
        try:
            return await fal_input.check(model, body, Loader(self._desk, self._painter.files, own))
        except Refusal as wrong:
            return wrong

    def _job(self, request: Request) -> Job:
        authorize(request)
        place = request.path_params
        job = self._jobs.find(place["id"])
        if job is None or job.app != f"{place['owner']}/{place['name']}":
            raise Refusal(404, {"status": "NOT_FOUND"})
        return job

    def _told(self, job: Job, *, logs: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = {
            "status": job.stage.value,
            "request_id": job.id,
            "gateway_request_id": job.id,
            "response_url": job.url,
            "status_url": f"{job.url}/status",
            "cancel_url": f"{job.url}/cancel",
        }
        match job.stage:
            case Stage.QUEUED:
                told["queue_position"] = self._jobs.position(job)
            case Stage.RUNNING:
                told["logs"] = job.logs if logs else None
            case Stage.DONE:
                told["logs"] = job.logs if logs else None
                told["metrics"] = {"inference_time": round(job.spent, 3)}
        return told

    async def status(self, request: Request) -> Response:
        job = self._job(request)
        told = self._told(job, logs=_wants_logs(request))
        return _json(told, 200 if job.stage is Stage.DONE else 202, _headers(job))

    async def stream(self, request: Request) -> Response:
        """Every change of the status until the end."""
        job, logs = self._job(request), _wants_logs(request)

        async def changes() -> AsyncIterator[bytes]:
            last: dict[str, Any] = {}
            while last.get("status") != Stage.DONE.value:
                told = self._told(job, logs=logs)
                if told != last:
                    last = told
                    yield b"data: " + orjson.dumps(told) + b"\n\n"
                await asyncio.sleep(LOOK_SECONDS)

        return StreamingResponse(changes(), headers=_headers(job), media_type="text/event-stream")

    async def result(self, request: Request) -> Response:
        job = self._job(request)
        if job.stage is not Stage.DONE:
            raise errors.detail(400, "Request is still in progress")
        if job.refused is not None:
            said = job.refused.response()
            said.headers.update({**_headers(job), "x-fal-billable-units": "0"})
            return said
        billed = units(job.asked, job.act) if isinstance(job.asked, Asked) else {}
        return _json(job.output, headers=_headers(job) | billed)

    async def cancel(self, request: Request) -> Response:
        job = self._job(request)
        if job.stage is Stage.DONE:
            return _json({"status": "ALREADY_COMPLETED"}, 400, _headers(job))
        if job.act.cancel != "ignored":
            job.stop.set()
        status, told = CANCELS[job.act.cancel]
        return _json(told, status, _headers(job))


async def _read(request: Request) -> tuple[facts.Model, dict[str, Any]]:
    authorize(request)
    endpoint = request.path_params["endpoint"]
    model = facts.MODELS.get(endpoint)
    if model is None:
        app = next((app for app in facts.APPS if endpoint.startswith(f"{app}/")), None)
        text = f"Path {endpoint.removeprefix(app)} not found" if app else "Application not found"
        raise errors.detail(404, text)
    return model, await read_object(request)


def _order(model: facts.Model, body: dict[str, Any], asked: Asked | Refusal) -> Order:
    if isinstance(asked, Refusal):
        return Order(model.id, str(body.get("prompt", "")), 0, "0")
    return Order(model.id, asked.prompt, asked.count, asked.price)


def _wants_logs(request: Request) -> bool:
    return request.query_params.get("logs", "").lower() in ("1", "true")


def _headers(job: Job) -> dict[str, str]:
    return {"x-fal-request-id": job.id, "x-fal-served-from": "sandbox"}


def _json(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, "application/json")
