"""The API of AUTOMATIC1111's WebUI and its relatives: pictures, progress, interrupt, lists, options."""

import base64
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from deploy.sandbox import dialect, webui_lists
from deploy.sandbox import webui_facts as facts
from deploy.sandbox import webui_wire as wire
from deploy.sandbox.desk import Desk, Done, Order, Refusal
from deploy.sandbox.drawing.guide import Guide
from deploy.sandbox.drawing.picture import Form
from deploy.sandbox.pieces import Text
from deploy.sandbox.scripts import Act
from deploy.sandbox.webui_errors import Build, refuser, said
from deploy.sandbox.webui_facts import Img2Img, Txt2Img
from deploy.sandbox.webui_sheet import sheet
from deploy.sandbox.webui_studio import Job, Studio

NAME = "webui"
Handler = Callable[[Request], Awaitable[Response]]

# What works on the server's own files has nothing to do here.
LOCAL = {"refresh-checkpoints", "unload-checkpoint", "reload-checkpoint"}


@dataclass(frozen=True)
class Flags:
    """How the WebUI was started."""

    auth: str | None = None  # "user:password" that /sdapi wants; /internal stays open, as at the real one
    build: Build = "a1111"
    api: bool = True  # without it there is nothing at /sdapi


def mounts(desk: Desk, flags: Flags) -> list[Mount]:
    webui = WebUI(desk, flags)
    api = [
        Route("/txt2img", webui.guarded(webui.txt2img), methods=["POST"]),
        Route("/img2img", webui.guarded(webui.img2img), methods=["POST"]),
        Route("/progress", webui.guarded(webui.progress)),
        Route("/interrupt", webui.guarded(webui.interrupt), methods=["POST"]),
        Route("/skip", webui.guarded(webui.skip), methods=["POST"]),
        Route("/options", webui.guarded(webui.options)),
        Route("/options", webui.guarded(webui.set_options), methods=["POST"]),
        *(Route(f"/{path}", webui.guarded(_done), methods=["POST"]) for path in sorted(LOCAL)),
        *(
            Route(f"/{path}", webui.guarded(partial(_listed, told)))
            for path, told in webui_lists.every(flags.build).items()
        ),
    ]
    internal = [
        Route("/ping", _ping),
        Route("/progress", webui.task_progress, methods=["POST"]),
        Route("/pending-tasks", webui.pending),
    ]
    return [
        dialect.mount(desk, NAME, prefix, routes, refuse=webui.refuse, unknown=_unknown)
        for prefix, routes in (("/sdapi/v1", api if flags.api else []), ("/internal", internal))
    ]


def _unknown(_: Request, status: int) -> Refusal:
    return Refusal(status, {"detail": "Method Not Allowed" if status == 405 else "Not Found"})


async def _listed(told: Any, _: Request) -> Response:
    return wire.as_json(told)


async def _done(_: Request) -> Response:
    return wire.as_json(None)


async def _ping(_: Request) -> Response:
    return wire.as_json({})


class WebUI:
    def __init__(self, desk: Desk, flags: Flags) -> None:
        self._desk = desk
        self._auth = "Basic " + base64.b64encode(flags.auth.encode()).decode() if flags.auth else ""
        self._build = flags.build
        self.refuse = refuser(flags.build)
        self._options = facts.options()
        self._studio = Studio(desk)

    def guarded(self, handler: Handler) -> Handler:
        async def check(request: Request) -> Response:
            begun = time.monotonic()
            given = request.headers.get("authorization", "")
            if self._auth and not hmac.compare_digest(given.encode(), self._auth.encode()):
                # No WWW-Authenticate: who waits to be asked never gets in.
                raise self.refuse("wrong_key", 401)
            response = await handler(request)
            response.headers["x-process-time"] = f"{time.monotonic() - begun:.4f}"
            return response

        return check

    async def txt2img(self, request: Request) -> Response:
        return await self._take(request, await wire.read(request, Txt2Img), None)

    async def img2img(self, request: Request) -> Response:
        asked = await wire.read(request, Img2Img)
        return await self._take(request, asked, await wire.guide(self._desk, asked, self.refuse))

    async def _take(self, request: Request, asked: Txt2Img, guide: Guide | None) -> Response:
        if asked.script_name:
            raise self.refuse("no_script", 422)
        checkpoint = self._checkpoint(asked)
        order = Order(facts.title(checkpoint), asked.prompt, asked.pictures, "0")

        async def work(act: Act) -> Done:
            if asked.width * asked.height > facts.MOST_PIXELS:
                raise self.refuse("out_of_memory", 500)
            task = asked.force_task_id or f"task-{id(request):x}"
            make = partial(self._job, asked, checkpoint, task, guide, act)
            job, pictures = await self._studio.run(make, task, act)
            if act.pictures is not None:
                pictures = (pictures * (act.pictures + 1))[: act.pictures]
            sheet = await self._sheet(asked, pictures, act)
            return Done(wire.answer(job, checkpoint, pictures, act, sheet=sheet), stopped=job.interrupted)

        return await self._desk.take(request, order, self.refuse, work)

    async def _sheet(self, asked: Txt2Img, pictures: list[Text], act: Act) -> Text | None:
        """Several pictures that are saved come with a contact sheet, unless it is switched off."""
        usual = asked.save_images and self._options["return_grid"] and len(pictures) > 1
        return await self._desk.aside(sheet, pictures) if pictures and (usual or act.sheet) else None

    def _checkpoint(self, asked: Txt2Img) -> tuple[str, str]:
        """An unknown checkpoint is dropped without a word, and the loaded one draws."""
        overrides = asked.override_settings or {}
        wanted = facts.find(overrides.get("sd_model_checkpoint"))
        return wanted or facts.find(self._options["sd_model_checkpoint"]) or facts.CHECKPOINTS[0]

    def _job(
        self, asked: Txt2Img, checkpoint: tuple[str, str], task: str, guide: Guide | None, act: Act
    ) -> Job:
        prompt = f"{asked.prompt}, portrait" if checkpoint[0] == "sandbox-portrait" else asked.prompt
        form = Form(facts.FORMATS.get(self._options["samples_format"], "png"), self._options["jpeg_quality"])
        return Job(asked, prompt, asked.first_seed(), form, self._desk.pause(act), task, guide)

    async def progress(self, request: Request) -> Response:
        studio, job = self._studio, self._studio.job
        hidden = request.query_params.get("skip_current_image", "").lower() in ("true", "1")
        progress = {
            "progress": job.progress() if job else 0.0,
            "eta_relative": studio.eta(),
            "state": studio.state(),
        }
        picture = None if hidden else await studio.preview()
        current = picture.decode() if picture else None
        return wire.as_json({**progress, "current_image": current, "textinfo": None})

    async def interrupt(self, _: Request) -> Response:
        self._studio.interrupt()
        return self._nothing()

    async def skip(self, _: Request) -> Response:
        self._studio.skip()
        return self._nothing()

    def _nothing(self) -> Response:
        return Response(status_code=204) if self._build == "sdnext" else wire.as_json({})

    async def options(self, _: Request) -> Response:
        return wire.as_json(self._options)

    async def set_options(self, request: Request) -> Response:
        changes = await wire.read_object(request)
        if "sd_model_checkpoint" in changes:
            checkpoint = facts.find(changes["sd_model_checkpoint"])
            if checkpoint is None:
                raise said(self._build, 500, "RuntimeError", "unknown checkpoint")
            changes |= {"sd_model_checkpoint": facts.title(checkpoint), "sd_checkpoint_hash": checkpoint[1]}
        self._options |= changes
        return wire.as_json({})

    async def task_progress(self, request: Request) -> Response:
        """The progress of one task, by the id its caller gave it."""
        wanted = await wire.read_object(request)
        studio, task = self._studio, wanted.get("id_task", "")
        job = studio.job if studio.job and studio.job.id == task else None
        shown = wanted.get("id_live_preview", -1)
        number = round(job.progress() * 100) if job else -1
        picture = (
            await studio.preview() if job and number != shown and wanted.get("live_preview", True) else None
        )
        return wire.as_json(
            {
                "active": job is not None,
                "queued": task in studio.queued,
                "completed": task in studio.completed,
                "progress": job.progress() if job else None,
                "eta": studio.eta() if job else None,
                "live_preview": f"data:image/png;base64,{picture.decode()}" if picture else None,
                "id_live_preview": number if picture else shown,
                "textinfo": "In queue..." if task in studio.queued else None,
            }
        )

    async def pending(self, _: Request) -> Response:
        return wire.as_json({"size": len(self._studio.queued), "tasks": self._studio.queued})
