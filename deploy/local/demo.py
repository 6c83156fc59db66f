"""What a first start brings: providers on the sandbox, profiles and a project, all marked as a demo.

Everything goes through the API, with the administrator's token. Later starts leave it as its users made it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from inkweld.access.v1 import access_pb2, projects_pb2
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub
from inkweld.access.v1.projects_pb2_grpc import ProjectServiceStub
from inkweld.config.v1 import profiles_pb2, providers_pb2, settings_pb2
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceStub
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceStub

from deploy.local.folder import Folder

SANDBOX_KEY = "sk-sandbox"
WEBUI = "providers/sandbox-webui"
OPENAI = "providers/sandbox-openai"


def seed(folder: Folder) -> None:
    """Bring the demo at the first start; afterwards only follow the sandbox to where it listens now."""
    marker = folder.path / "demo-made"
    with _calling(folder.address("config"), folder.admin_token) as channel:
        if not marker.exists():
            _create(channel, folder)
            marker.touch()
        else:
            _follow(channel, folder)


def sign_in_code(folder: Folder) -> str:
    """A code that lets the administrator in, once."""
    with _calling(folder.address("config"), folder.admin_token) as channel:
        request = access_pb2.CreateSignInCodeRequest(name="users/admin")
        return AccessServiceStub(channel).CreateSignInCode(request).code


def _create(channel: grpc.Channel, folder: Folder) -> None:
    _switch_on(channel)
    providers = ProviderServiceStub(channel)
    for provider in _providers(folder):
        name = provider.name.removeprefix("providers/")
        request = providers_pb2.CreateProviderRequest(provider=provider, provider_id=name, request_id=name)
        providers.CreateProvider(request)
    providers.SetProviderKey(providers_pb2.SetProviderKeyRequest(name=OPENAI, api_key=SANDBOX_KEY))
    profiles = ProfileServiceStub(channel)
    for profile in _profiles():
        name = profile.name.removeprefix("profiles/")
        profiles.CreateProfile(
            profiles_pb2.CreateProfileRequest(profile=profile, profile_id=name, request_id=name)
        )
    project = projects_pb2.Project(
        title="The Lantern Coast (demo)",
        description="A chain of islands whose lighthouses are alive. For trying things out.",
    )
    ProjectServiceStub(channel).CreateProject(
        projects_pb2.CreateProjectRequest(
            project=project, project_id="lantern-coast", request_id="lantern-coast"
        )
    )


def _switch_on(channel: grpc.Channel) -> None:
    """Turn the switches on that the environment says nothing of."""
    service = SettingsServiceStub(channel)
    sources = service.GetSettings(settings_pb2.GetSettingsRequest()).sources
    wanted = settings_pb2.Settings()
    if sources["kill_switch"] == settings_pb2.Source.DEFAULT:
        wanted.kill_switch = False
    if sources["images_enabled"] == settings_pb2.Source.DEFAULT:
        wanted.images_enabled = True
    service.UpdateSettings(settings_pb2.UpdateSettingsRequest(settings=wanted))


def _follow(channel: grpc.Channel, folder: Folder) -> None:
    providers = ProviderServiceStub(channel)
    wanted = {provider.name: provider.endpoint for provider in _providers(folder)}
    for provider in providers.ListProviders(providers_pb2.ListProvidersRequest(page_size=1000)).providers:
        endpoint = wanted.get(provider.name, provider.endpoint)
        if endpoint == provider.endpoint:
            continue
        moved = providers_pb2.Provider(name=provider.name, endpoint=endpoint)
        providers.UpdateProvider(providers_pb2.UpdateProviderRequest(provider=moved))
        if provider.HasField("key"):  # it was bound to the old endpoint
            providers.SetProviderKey(
                providers_pb2.SetProviderKeyRequest(name=provider.name, api_key=SANDBOX_KEY)
            )


def _providers(folder: Folder) -> tuple[providers_pb2.Provider, ...]:
    sandbox = f"http://{folder.address('sandbox')}"
    return (
        providers_pb2.Provider(
            name=WEBUI,
            kind="stable-diffusion",
            title="Sandbox WebUI (demo)",
            enabled=True,
            endpoint=sandbox,
        ),
        providers_pb2.Provider(
            name=OPENAI,
            kind="openai",
            title="Sandbox OpenAI (demo)",
            enabled=True,
            endpoint=f"{sandbox}/v1",
        ),
    )


def _profiles() -> tuple[profiles_pb2.Profile, ...]:
    sketch = profiles_pb2.Profile(
        name="profiles/sandbox-sketch",
        title="Sandbox sketch (demo)",
        description="Drawn on this machine by the sandbox, which stands in for a Stable Diffusion WebUI.",
        provider=WEBUI,
        model="sandbox-landscape",
        enabled=True,
        image_input=True,
        sizes=["1024x1024", "768x1024", "1024x768", "512x512"],
        default_size="1024x1024",
        sort_order=10,
        price_note="Free: no provider is asked.",
    )
    sketch.model_config.update({"steps": 20, "sampler_name": "Euler a"})
    picture = profiles_pb2.Profile(
        name="profiles/sandbox-picture",
        title="Sandbox picture (demo)",
        description="Drawn on this machine by the sandbox, which stands in for OpenAI's Images API.",
        provider=OPENAI,
        model="gpt-image-2",
        enabled=True,
        image_input=True,
        sizes=["1024x1024", "1536x1024", "1024x1536"],
        default_size="1024x1024",
        sort_order=20,
        price_note="Free: no provider is asked.",
    )
    picture.model_config.update({"partial_images": 2})
    return sketch, picture


@contextmanager
def _calling(address: str, token: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address) as channel:
        yield grpc.intercept_channel(channel, _Bearer(token))


class _Bearer(grpc.UnaryUnaryClientInterceptor):
    """Proves each call with the administrator's token."""

    def __init__(self, token: str) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),)

    def intercept_unary_unary(self, proceed: Any, details: Any, request: Any) -> Any:
        return proceed(details._replace(metadata=self._metadata, timeout=details.timeout or 30), request)
