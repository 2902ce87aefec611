"""Every public name is documented, with an example that shows it, or says here why not.

The examples themselves are run with the modules that they stand in.
"""

import functools
import importlib
import inspect
import re
import subprocess
import sys

import hjsym

PACKAGES = [
    "tropical",
    "tropical.plotting",
    "hjsym",
    *(f"hjsym.{name}" for name in hjsym.__all__ if inspect.ismodule(getattr(hjsym, name))),
    "hjsym.datasets",
    "hjsym.errors",
    "hjsym.frontends",
    "hjsym.layers",
    "hjsym.network",
    "hjsym.paper",
]

# Names, or members of classes, that stay without an example, and why.
WITHOUT_EXAMPLE = {
    "hjsym.page.Page": "what `write_page` returns, whose example is enough",
    "hjsym.paper.Reproduction": "what `reproduce` returns, whose example is enough: a row takes a second",
    "hjsym.GibbsMean.eval": "SymPy calls it",
    "hjsym.LogSumExp.eval": "SymPy calls it",
    "hjsym.LogSumExp.fdiff": "SymPy calls it",
    "hjsym.Maximum.eval": "SymPy calls it",
    "hjsym.Maximum.fdiff": "SymPy calls it",
    "hjsym.systems.LearnedHamiltonian.from_torch": "needs torch",
    "hjsym.systems.TransformerBlock.from_torch": "needs torch",
    "hjsym.training.Schedule.best": "what fits call, on tables that they prepare",
    "hjsym.conjugate.Hull.*": "over tables of the package that conjugates hand to each other",
    "tropical.Polytope.affine_hull": "integers that decisions of the package rest on",
    "tropical.Polytope.base": "integers that decisions of the package rest on",
    "tropical.Polytope.hull": "integers that decisions of the package rest on",
    "tropical.Polytope.scaled_volume": "integers that decisions of the package rest on",
    "tropical.Rational.exactly": "what subclasses that round replace; shown with `TropicalNetwork`",
}


# Parameters that mean the same everywhere, and are said once: in `forward`, `hamiltonian` and `linear_regions`.
COMMON = {"semiring", "executor", "progress", "symbolic", "options"}


def public() -> dict[str, object]:
    """The classes and functions that packages list, each once, by the first name it has."""
    found: dict[object, str] = {}
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                found.setdefault(thing, f"{package}.{name}")
    return {name: thing for thing, name in found.items()}


PUBLIC = public()
CLASSES = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing)}
FUNCTIONS = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}


def members(cls: type) -> dict[str, object]:
    """Public methods and properties that the class itself defines."""
    kinds = (property, functools.cached_property, classmethod, staticmethod)
    return {
        name: thing
        for name, thing in vars(cls).items()
        if not name.startswith("_") and (isinstance(thing, kinds) or inspect.isfunction(thing))
    }


def examples(text: str | None) -> str:
    return "\n".join(re.findall(r"^\s*(?:>>>|\.\.\.) (.*)$", text or "", re.MULTILINE))


@functools.cache
def examples_around(cls: type) -> str:
    """Those of the class, of what it inherits from, of their members, and of the module that makes it."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith(("tropical", "hjsym"))]
    docs = [base.__doc__ for base in ours]
    docs += [inspect.getdoc(thing) for base in ours for thing in members(base).values()]
    docs += [thing.__doc__ for thing in PUBLIC.values() if thing.__module__ == cls.__module__]
    return "\n".join(map(examples, docs))


def is_shown(cls: type, member: str) -> bool:
    return bool(re.search(rf"\.{member}\b", examples_around(cls)))


def excused(name: str, member: str) -> bool:
    return f"{name}.{member}" in WITHOUT_EXAMPLE or f"{name}.*" in WITHOUT_EXAMPLE


def documented(cls: type, member: str) -> bool:
    """By itself, by what it overrides, or among the attributes in the docstring of the class."""
    of_its_own = any(getattr(vars(base).get(member), "__doc__", None) for base in cls.__mro__)
    return of_its_own or bool(re.search(rf"^{member}\b.* : ", inspect.getdoc(cls), re.MULTILINE))


def test_every_name_has_an_example():
    assert [name for name, thing in PUBLIC.items() if not examples(thing.__doc__)] == [
        name for name in WITHOUT_EXAMPLE if name in PUBLIC
    ]


def test_every_member_is_shown():
    missing = [
        f"{name}.{member}"
        for name, cls in CLASSES.items()
        for member in members(cls)
        if not (excused(name, member) or is_shown(cls, member))
    ]
    assert missing == []


def test_every_member_is_documented():
    silent = [
        f"{name}.{member}"
        for name, cls in CLASSES.items()
        for member in members(cls)
        if not (excused(name, member) or documented(cls, member))
    ]
    assert silent == []


def test_exceptions_are_needed():
    for name in WITHOUT_EXAMPLE:
        owner, _, member = name.rpartition(".")
        if name not in PUBLIC and member != "*":
            assert member in members(CLASSES[owner])
            assert not is_shown(CLASSES[owner], member)


def test_every_function_says_what_it_takes():
    """Each parameter is named in the text, and a long list of them has its section."""
    unnamed, unordered = [], []
    for name, function in FUNCTIONS.items():
        text = inspect.getdoc(function)
        parameters = [p for p in inspect.signature(function).parameters if p not in COMMON]
        unnamed += [f"{name}: {p}" for p in parameters if not re.search(rf"\b{re.escape(p)}\b", text)]
        if len(parameters) > 3 and "Parameters\n----------" not in text:
            unordered.append(name)
    assert unnamed == []
    assert unordered == []


def test_importing_takes_nothing_that_can_wait():
    """No framework, no matplotlib, and none of the parts of SciPy that are slow to import."""
    heavy = {
        "matplotlib",
        "onnx",
        "sklearn",
        "torch",
        "keras",
        "scipy.optimize",
        "scipy.spatial",
        "scipy.stats",
    }
    code = f"import sys, hjsym; print(*sorted({heavy!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
