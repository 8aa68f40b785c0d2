"""Data that is shipped with the product, and the one function that finds it. Never reads a device, the network or a person's data."""

from importlib.resources import files
from importlib.resources.abc import Traversable

__all__ = ["find"]


def find(*parts: str) -> Traversable:
    """The shipped resource ``parts`` below this folder, e.g. ``find("tables", "sex.csv")``.

    Raises FileNotFoundError where the product was shipped without it.
    """
    found = files(__name__).joinpath(*parts)
    if not (found.is_file() or found.is_dir()):
        raise FileNotFoundError("resources/" + "/".join(parts))
    return found
