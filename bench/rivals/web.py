"""The same with FastAPI behind Mangum: routing, a request model, a dependency for the key."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException
from mangum import Mangum
from pydantic import BaseModel

from bench.rivals.bare import call_aws

app = FastAPI()


class GenerateRequest(BaseModel):
    mode: str
    prompt: str
    aspect_ratio: str | None = None


def bearer(authorization: Annotated[str, Header()]) -> str:
    if not authorization.startswith("Bearer "):
        raise HTTPException(401)
    return authorization


@app.post("/v1/generate", status_code=202)
def generate(request: GenerateRequest, authorization: Annotated[str, Depends(bearer)]) -> dict[str, Any]:
    return call_aws(authorization, request.model_dump())


@app.get("/v1/jobs/{job_id}")
def read(job_id: str, authorization: Annotated[str, Depends(bearer)]) -> dict[str, Any]:
    return call_aws(authorization, {})


handler = Mangum(app, lifespan="off")
