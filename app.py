"""Entry point of the CDK: `cdk deploy -c stage=dev`."""

import sys

from infra.stage import InvalidStage
from infra.synthesis import app_of_command_line

try:
    app_of_command_line().synth()
except InvalidStage as error:
    sys.exit(str(error))
