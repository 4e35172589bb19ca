"""/v1/files, /v1/files/{id}: files that a caller keeps here for a day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from shoal.composition.files import manage_files
from shoal.dialects import files
from shoal.domain.idempotency import IdempotencyKey
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.files.manage_files import Answered, ManageFiles, NewFile


def manage(request: Request, use: ManageFiles) -> Answer:
    """201 with what was made, 200 with what is there, 204 for what was deleted."""
    return _BY_ROUTE[request.route](request, use)


def _create(request: Request, use: ManageFiles) -> Answer:
    """A form, the file itself, or as JSON the order of an upload."""
    files.check_query(request.query)
    match request.media_type:
        case "application/json":
            answered = _order(request, use)
        case "multipart/form-data":
            answered = _keep(request, use, _from_form(request))
        case _:
            answered = _keep(request, use, files.parse_raw(request.query, request.body))
    return Answer(answered.status, files.made(answered), answered.headers)


def _order(request: Request, use: ManageFiles) -> Answered:
    body = request.json_object()
    key = request.idempotency_key(request.caller, request.caller.counts_in(request.route), body)
    return use.order(request.caller, lambda: files.parse_upload(body), key, files.file_resource)


def _keep(request: Request, use: ManageFiles, new: NewFile) -> Answered:
    return use.keep(request.caller, lambda: new, _key(request, new), files.file_resource)


def _from_form(request: Request) -> NewFile:
    from shoal.handlers.http.form_body import form_body

    form = form_body(request.body, request.headers["content-type"])
    return files.parse_form(form.texts, form.file_name, form.data)


def _key(request: Request, new: NewFile) -> IdempotencyKey | None:
    """By what is sent, however it is sent: the boundary of a form is another one each time."""
    said = {"sha256": hashlib.sha256(new.data).hexdigest(), "name": new.name, "metadata": new.metadata}
    return request.idempotency_key(request.caller, request.caller.counts_in(request.route), said)


def _list(request: Request, use: ManageFiles) -> Answer:
    limit, cursor = files.parse_list_query(request.query)
    return Answer(200, files.file_list(use.list(request.caller, limit=limit, cursor=cursor)))


def _read(request: Request, use: ManageFiles) -> Answer:
    return Answer(200, files.file_answer(use.read(request.caller, request.path_parameter("id"))))


def _delete(request: Request, use: ManageFiles) -> Answer:
    use.delete(request.caller, request.path_parameter("id"))
    return Answer(204, None)


_BY_ROUTE: dict[str, Callable[[Request, ManageFiles], Answer]] = {
    "POST /v1/files": _create,
    "GET /v1/files": _list,
    "GET /v1/files/{id}": _read,
    "DELETE /v1/files/{id}": _delete,
}

handler = Endpoint(manage_files, manage)
