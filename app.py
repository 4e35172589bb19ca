"""Entry point of the CDK: `cdk deploy -c stage=dev`."""

from infra.synthesis import app_of_command_line

app_of_command_line().synth()
