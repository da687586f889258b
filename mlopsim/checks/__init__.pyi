from .base import Check, ContractError, generator, identical, own_randomness, refused, repeats, require
from .run import Verdict, check_component, checks_for
from .toy_deployment import Toy, example_interface, play

__all__ = [
    "Check",
    "ContractError",
    "Toy",
    "Verdict",
    "check_component",
    "checks_for",
    "example_interface",
    "generator",
    "identical",
    "own_randomness",
    "play",
    "refused",
    "repeats",
    "require",
]
