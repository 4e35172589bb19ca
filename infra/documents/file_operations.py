"""The routes of files."""

from __future__ import annotations

from shoal.dialects.answers import files
from shoal.domain.errors import TooManyFiles

from .operation import Operation

MADE = {"id": "$response.body#/data/id"}
FILES = {
    "POST /v1/files": Operation(
        id="create_file",
        tag="Files",
        summary="Bring a file, or order an upload",
        text="Up to 4.4 MB the file comes along: as the part `file` of a form, or as the body itself. Larger "
        "ones (pictures up to 10 MiB, clips, sound and models up to 100 MiB) are ordered with the JSON body: "
        "`upload` says where to `PUT` the file within 15 minutes, and with which header fields. What a file "
        "is, its bytes tell. It is gone after 24 hours.",
        body="UploadRequest",
        takes_file=True,
        query=("name",),
        answers={201: (files.NewFileAnswer,)},
        raises=(TooManyFiles,),
        idempotent=True,
        links={"read_file": MADE, "delete_file": MADE},
    ),
    "GET /v1/files": Operation(
        id="list_files",
        tag="Files",
        summary="List files",
        text="Newest first.",
        query=("limit", "cursor"),
        answers={200: (files.FileListAnswer,)},
    ),
    "GET /v1/files/{id}": Operation(
        id="read_file",
        tag="Files",
        summary="Read what is known of a file",
        text="An ordered upload is looked for: `status` is `ready` once it is there and can be used.",
        answers={200: (files.FileAnswer,)},
    ),
    "DELETE /v1/files/{id}": Operation(
        id="delete_file",
        tag="Files",
        summary="Delete a file",
        text="What was submitted with it keeps a copy.",
        answers={204: ()},
    ),
}
