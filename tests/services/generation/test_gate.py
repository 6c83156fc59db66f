from inkweld.config.v1.profiles_pb2 import Profile
from inkweld.config.v1.providers_pb2 import Provider as Configured

from services.generation.gate import OPEN_TASKS, Passed
from services.generation.providers import Provider, falai, openai, stable_diffusion


def slots(kind: Provider) -> int:
    return Passed(Profile(), Configured(), kind).slots


def test_who_can_only_stop_all_it_draws_has_one_task_at_a_time() -> None:
    assert slots(stable_diffusion) == 1


def test_who_can_stop_the_very_work_has_as_many_as_others() -> None:
    assert slots(falai) == slots(openai) == OPEN_TASKS
